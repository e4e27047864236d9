extension Scene {
    /// Waits for a renewal or two while script in the page intercepts tokens, and uses what it sent.
    func intercept() async throws -> Outcome {
        try await pause(Target.accessTokenLife + 1.5)
        try await browser.run("await fetch('/rates?callback=overheard')")
        try await wait("the script to intercept a request") { hasLost("overheard(") }
        var gotIn = false
        // The newest token may expire before the thief uses it: then the next one is tried.
        for _ in 0..<4 where !gotIn {
            try await pause(0.3)
            var thief = Thief(self, loot: attacker.loot(of: name).joined(separator: "\n"))
            gotIn = try await thief.readsSecret()
        }
        return .of(
            gotIn,
            [
                "the script sent the attacker all data that passed the page's functions, for longer than an access token lives",
                gotIn
                    ? "a token in it opened the account from another machine" : "it contained no valid token",
            ])
    }
}
