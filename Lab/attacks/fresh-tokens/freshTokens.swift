extension Attack {
    static let freshTokens = Attack(
        name: "fresh-tokens", title: "Have the server make tokens for it", family: .script,
        page: PackageResources.fresh_tokens_md
    ) { scene in
        try await scene.logIn()
        try await scene.injectNow(PackageResources.fresh_tokens_js)
        let loot = try await scene.loot()
        let path = scene.target.storage.isOurs ? "/auth/refresh" : "/refresh"
        let renewals = scene.requests("POST", path)
        guard renewals.count >= 2 else { throw LabError("the script has asked for no renewal") }
        var thief = Thief(scene, loot: loot.joined(separator: "\n"))
        let gotIn = try await thief.readsSecret()
        return .of(
            gotIn,
            [
                "the script asked every endpoint that renews; \(path) answered \(renewals[0].status)",
                gotIn
                    ? "an answer held a token, which opened the account from another machine"
                    : "no answer held a token that was good",
            ])
    }
}
