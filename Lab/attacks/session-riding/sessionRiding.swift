extension Attack {
    static let sessionRiding = Attack(
        name: "session-riding", title: "Session riding by XSS", family: .script
    ) { scene in
        try await scene.logIn()
        try await scene.injectNow("session-riding/script.js")
        let loot = try await scene.loot()
        try await wait("the transfer request") { scene.requests("POST", "/api/transfer").contains { $0.status > 0 } }
        try? await wait("money", seconds: 3) { scene.thiefNow.balance > 1000 }
        let hasRead = loot.contains { $0.contains(scene.victim.secret) }
        let hasTaken = scene.thiefNow.balance > 1000
        return .of(
            hasRead || hasTaken,
            [
                hasRead ? "the secret reached the attacker" : "the secret did not reach the attacker",
                "the attacker's balance is \(scene.thiefNow.balance), it was 1000",
            ])
    }
}
