extension Attack {
    static let sessionFixation = Attack(
        name: "session-fixation", title: "Toss in cookies before the victim logs in", family: .elsewhere,
        page: PackageResources.session_fixation_md
    ) { scene in
        try await scene.tossCookies()
        try await scene.openBank()
        if try await scene.shownAccount().isEmpty { try await scene.tryToLogIn() }
        return try await scene.watchForSwitchedAccount()
    }
}
