extension Attack {
    static let readAndSend = Attack(
        name: "read-and-send", title: "Read the token and send it away", family: .script,
        page: PackageResources.read_and_send_md
    ) { scene in
        try await scene.logIn()
        try await scene.injectNow(PackageResources.read_and_send_js)
        let loot = try await scene.loot()
        var thief = Thief(scene, loot: loot.joined(separator: "\n"))
        let gotIn = try await thief.readsSecret()
        return .of(
            gotIn,
            [
                "\(loot.count) messages reached the attacker",
                thief.hasAnything ? "there was a token in them" : "there was no token in them",
                gotIn ? "from another machine it opened the account" : "from another machine the account stayed shut",
            ])
    }
}
