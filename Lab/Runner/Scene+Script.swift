extension Scene {
    /// Waits for a renewal or two while script in the page overhears everything, and tries what it took.
    func overhear() async throws -> Outcome {
        try await pause(Target.accessTokenLife + 1.5)
        try await browser.run("await fetch('/rates?callback=overheard')")
        try await wait("the script to overhear a request") { hasLost("overheard(") }
        var gotIn = false
        // The token that passed last may be at its end: then there is nothing to be had until the next.
        for _ in 0..<4 where !gotIn {
            try await pause(0.3)
            var thief = Thief(self, loot: attacker.loot(of: name).joined(separator: "\n"))
            gotIn = try await thief.readsSecret()
        }
        return .of(
            gotIn,
            [
                "what passed through the page's functions reached the attacker, for more than one life of an access token",
                gotIn ? "from another machine it opened the account" : "no token that was good was in it",
            ])
    }
}
