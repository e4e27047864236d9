extension Attack {
    static let jarSilentVictim = Attack(
        name: "jar-silent-victim", title: "Copy the profile of somebody who does not come back", family: .theft,
        page: PackageResources.jar_silent_victim_md
    ) { scene in
        try await scene.logIn()
        guard var thief = try await scene.copyOfProfile() else { return .doesNotApply("nothing is on the disk") }
        try await scene.browser.open("about:blank")
        for _ in 0..<2 {
            try await scene.pause(Target.accessTokenLife + 0.5)
            guard try await thief.readsSecret() else { return .of(false, ["the copy was shut out"]) }
        }
        return .of(true, ["the copy opened the account for two lives of an access token"])
    }
}
