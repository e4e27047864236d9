extension Attack {
    static let newTokens = Attack(
        name: "new-tokens", title: "New tokens requested by XSS", family: .script
    ) { scene in
        try await scene.logIn()
        try await scene.injectNow("new-tokens/script.js")
        let loot = try await scene.loot()
        let path = scene.target.storage.isOurs ? "/auth/refresh" : "/refresh"
        let renewals = scene.requests("POST", path)
        guard renewals.count >= 2 else { throw LabError("the script requested no renewal") }
        var thief = Thief(scene, loot: loot.joined(separator: "\n"))
        let gotIn = try await thief.readsSecret()
        return .of(
            gotIn,
            [
                "the script called every endpoint that renews; \(path) answered \(renewals[0].status)",
                gotIn
                    ? "a response contained a token, which opened the account from another machine"
                    : "no response contained a valid token",
            ])
    }
}
