extension Attack {
    static let forwardAuthTheft = Attack(
        name: "forward-auth-theft", title: "Token theft by XSS through forward-auth", family: .script
    ) { scene in
        guard scene.target.storage.answersProxies else {
            return .doesNotApply("the server has no forward-auth endpoint")
        }
        try await scene.logIn()
        try await scene.injectNow("forward-auth-theft/script.js")
        var evidence: [String] = []
        var fell = false
        for (place, token) in ["a valid", "an expired"].enumerated() {
            let gotIn = try await scene.opensAccount(withArrival: place)
            fell = fell || gotIn
            evidence.append(
                "with \(token) access token, "
                    + (gotIn
                        ? "a response contained a token, which opened the account from another machine"
                        : "no response that script can read contained a valid token"))
        }
        let checks = scene.requests("GET", "/auth/check")
        guard !checks.isEmpty else { throw LabError("the script called no check endpoint") }
        guard scene.target.proxies?.allowed != 0 else {
            throw LabError("the script's requests did not reach the private listener")
        }
        let statuses = Set(checks.map(\.status)).sorted().map(String.init).joined(separator: ", ")
        return .of(fell, ["on the page's own origin the check answered \(statuses)"] + evidence)
    }
}

extension Scene {
    /// Waits for the arrival with this number and uses its tokens at once: access tokens live two seconds.
    fileprivate func opensAccount(withArrival place: Int) async throws -> Bool {
        try await wait("data to arrive", seconds: 30) { attacker.loot(of: name).count > place }
        var thief = Thief(self, loot: attacker.loot(of: name)[place])
        return try await thief.readsSecret()
    }
}
