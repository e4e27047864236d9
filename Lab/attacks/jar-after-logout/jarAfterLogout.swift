extension Attack {
    static let jarAfterLogout = Attack(
        name: "jar-after-logout", title: "Copy the profile and use it after the victim has logged out", family: .theft,
        page: PackageResources.jar_after_logout_md
    ) { scene in
        try await scene.logIn()
        guard var thief = try await scene.copyOfProfile() else { return .doesNotApply("nothing is on the disk") }
        guard try await thief.readsSecret() else { throw LabError("the copy did not even work before the logout") }
        try await scene.logOut()
        let gotIn = try await thief.readsSecret()
        return .of(
            gotIn,
            [
                "before the logout the copy opened the account",
                gotIn ? "after it the copy opened it all the same" : "after it the copy opened nothing any more",
            ])
    }
}
