extension Attack {
    static let jarAfterLogout = Attack(
        name: "jar-after-logout", title: "Copy the profile and use it after the victim has logged out", family: .theft,
        page: PackageResources.jar_after_logout_md
    ) { scene in
        try await scene.logIn()
        guard var thief = try await scene.copyOfProfile() else { return .doesNotApply("nothing is on the disk") }
        try await scene.logOut()
        let gotIn = try await thief.readsSecret()
        return .of(gotIn, [gotIn ? "the copy opened the account all the same" : "the copy opened nothing any more"])
    }
}
