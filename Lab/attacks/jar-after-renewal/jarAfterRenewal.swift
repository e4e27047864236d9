extension Attack {
    static let jarAfterRenewal = Attack(
        name: "jar-after-renewal", title: "Copy the profile and use it after the victim's next renewals",
        family: .theft,
        page: PackageResources.jar_after_renewal_md
    ) { scene in
        try await scene.logIn()
        guard var thief = try await scene.copyOfProfile() else { return .doesNotApply("nothing is on the disk") }
        try await scene.pause(2 * Target.accessTokenLife + 2.5)
        let gotIn = try await thief.readsSecret()
        return .of(gotIn, [gotIn ? "the old copy opened the account" : "the old copy opened nothing"])
    }
}
