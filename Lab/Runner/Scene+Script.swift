extension Scene {
    /// Waits for a renewal or two while script in the page overhears everything, and tries what it took.
    func overhear() async throws -> Outcome {
        try await pause(Target.accessTokenLife + 1.5)
        let loot = try await loot()
        var thief = Thief(self, loot: loot.joined(separator: "\n"))
        let gotIn = try await thief.readsSecret()
        return .of(
            gotIn,
            [
                "\(loot.count) messages reached the attacker, over more than one life of an access token",
                gotIn ? "from another machine what they held opened the account" : "none held a token that was good",
            ])
    }
}
