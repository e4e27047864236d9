extension Attack {
    static let stayAndTake = Attack(
        name: "stay-and-take", title: "Stay in the page and take every new token", family: .script,
        page: PackageResources.stay_and_take_md
    ) { scene in
        scene.inject(PackageResources.stay_and_take_js)
        try await scene.logIn()
        // Long enough for a renewal or two.
        try await scene.pause(Target.accessTokenLife + 1.5)
        let loot = try await scene.loot()
        var thief = Thief(scene, loot: loot.joined(separator: "\n"))
        let gotIn = try await thief.readsSecret()
        return .of(
            gotIn,
            [
                "\(loot.count) messages reached the attacker, over more than one life of an access token",
                gotIn ? "from another machine what they held opened the account" : "none held a token",
            ])
    }
}
