extension Attack {
    static let tokenTheft = Attack(
        name: "token-theft", title: "Token theft by XSS", family: .script
    ) { scene in
        // The policy forbids requests to other hosts, to show that it does not prevent exfiltration.
        scene.target.pages[scene.host].connectsOnlyHome = true
        try await scene.logIn()
        let canary = "canary-\(scene.name)"
        try await scene.browser.run("localStorage.setItem('note', args[0])", .string(canary))
        try await scene.injectNow("token-theft/script.js")
        try await wait("the content of the page's storage to arrive") { scene.hasLost(canary) }
        let arrivals = scene.attacker.arrivals(of: scene.name)
        guard arrivals.allSatisfy(\.isNavigation) else { throw LabError("the page's policy blocked no request") }
        var thief = Thief(scene, loot: arrivals.map(\.loot).joined(separator: "\n"))
        let gotIn = try await thief.readsSecret()
        return .of(
            gotIn,
            [
                "the page's Content Security Policy blocked the request but not the navigation, which carried the data",
                thief.hasAnything ? "the data contained a token" : "the data contained no token",
                gotIn ? "it opened the account from another machine" : "it opened no account from another machine",
            ])
    }
}
