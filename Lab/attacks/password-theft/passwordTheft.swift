extension Attack {
    static let passwordTheft = Attack(
        name: "password-theft", title: "Password theft by XSS", family: .script
    ) { scene in
        try scene.inject("password-theft/script.js")
        try await scene.logIn()
        try await wait("the script to report input") { scene.hasLost(scene.victim.email) }
        guard scene.hasLost(scene.victim.password) else { return .of(false, ["the script did not get the password"]) }
        let session = try await scene.session(of: scene.victim)
        var thief = Thief(scene, jar: session.jar)
        let gotIn = try await thief.readsSecret()
        return .of(
            gotIn,
            [
                "the password reached the attacker",
                gotIn
                    ? "the attacker logged in with it on another machine"
                    : "the attacker's login on another machine gave no access",
            ])
    }
}
