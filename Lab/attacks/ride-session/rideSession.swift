extension Attack {
    static let rideSession = Attack(
        name: "ride-session", title: "Use the session from within the page", family: .script,
        page: PackageResources.ride_session_md
    ) { scene in
        try await scene.logIn()
        try await scene.injectNow(PackageResources.ride_session_js)
        let loot = try await scene.loot()
        try await wait("the bank to be asked") { scene.requests("POST", "/api/transfer").contains { $0.status > 0 } }
        try? await wait("money", seconds: 3) { scene.thiefNow.balance > 1000 }
        let hasRead = loot.contains { $0.contains(scene.victim.secret) }
        let hasTaken = scene.thiefNow.balance > 1000
        return .of(
            hasRead || hasTaken,
            [
                hasRead ? "the secret reached the attacker" : "the secret did not reach the attacker",
                "the thief's balance is \(scene.thiefNow.balance)",
            ])
    }
}
