import CloakroomTokens

extension Attack {
    static let readAndSend = Attack(
        name: "read-and-send", title: "Read the token and send it away", family: .script,
        page: PackageResources.read_and_send_md
    ) { scene in
        // Nothing may be sent to another host, and still it gets out.
        scene.target.pages[scene.host].connectsOnlyHome = true
        try await scene.logIn()
        let canary = "canary-\(scene.name)"
        try await scene.browser.run("localStorage.setItem('note', args[0])", .string(canary))
        try await scene.injectNow(PackageResources.read_and_send_js)
        try await wait("what the page keeps to arrive") { scene.hasLost(canary) }
        let arrivals = scene.attacker.arrivals(of: scene.name)
        guard arrivals.allSatisfy(\.isNavigation) else { throw LabError("the page's policy has stopped nothing") }
        var thief = Thief(scene, loot: arrivals.map(\.loot).joined(separator: "\n"))
        let gotIn = try await thief.readsSecret()
        return .of(
            gotIn,
            [
                "the page's Content Security Policy stopped the request, and not the navigation that took everything along",
                thief.hasAnything ? "there was a token in it" : "there was no token in it",
                gotIn ? "from another machine it opened the account" : "from another machine the account stayed shut",
            ])
    }
}
