import CloakroomTokens

extension Attack {
    static let overhearPassword = Attack(
        name: "overhear-password", title: "Overhear the password as it is typed", family: .script,
        page: PackageResources.overhear_password_md
    ) { scene in
        scene.inject(PackageResources.overhear_password_js)
        try await scene.logIn()
        try await wait("the script to hear that there is typing") { scene.hasLost(scene.victim.email) }
        guard scene.hasLost(scene.victim.password) else { return .of(false, ["the password was not overheard"]) }
        let session = try await scene.session(of: scene.victim)
        var thief = Thief(scene, jar: session.jar)
        let gotIn = try await thief.readsSecret()
        return .of(
            gotIn,
            [
                "the password reached the attacker",
                gotIn ? "with it they logged in on a machine of their own" : "with it they got no further",
            ])
    }
}
