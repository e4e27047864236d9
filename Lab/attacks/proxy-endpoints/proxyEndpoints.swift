import CloakroomTokens

extension Attack {
    static let proxyEndpoints = Attack(
        name: "proxy-endpoints", title: "Ask the endpoints that proxies use", family: .script,
        page: PackageResources.proxy_endpoints_md
    ) { scene in
        guard scene.target.storage.answersProxies else { return .doesNotApply("the server answers no proxy") }
        try await scene.logIn()
        try await scene.injectNow(PackageResources.proxy_endpoints_js)
        var evidence: [String] = []
        var fell = false
        for (place, token) in ["a live", "an expired"].enumerated() {
            let gotIn = try await scene.opensAccount(withArrival: place)
            fell = fell || gotIn
            evidence.append(
                "asked with \(token) access token, "
                    + (gotIn
                        ? "an answer held a token, which opened the account from another machine"
                        : "no answer held a token that script could read and that was good"))
        }
        let checks = scene.requests("GET", "/auth/check")
        guard !checks.isEmpty else { throw LabError("the script has asked no check") }
        guard scene.target.proxies?.allowed != 0 else {
            throw LabError("the script has not reached the private listener")
        }
        let statuses = Set(checks.map(\.status)).sorted().map(String.init).joined(separator: ", ")
        return .of(fell, ["on the page's own origin the check answered \(statuses)"] + evidence)
    }
}

extension Scene {
    /// Waits for this arrival of loot, and tries it at once: access tokens live two seconds.
    fileprivate func opensAccount(withArrival place: Int) async throws -> Bool {
        try await wait("loot to arrive", seconds: 30) { attacker.loot(of: name).count > place }
        var thief = Thief(self, loot: attacker.loot(of: name)[place])
        return try await thief.readsSecret()
    }
}
