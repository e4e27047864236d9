extension Attack {
    static let sessionFixation = Attack(
        name: "session-fixation", title: "Session fixation by cookie tossing", family: .elsewhere
    ) { scene in
        try await scene.tossCookies()
        try await scene.openBank()
        if try await scene.shownAccount().isEmpty { try await scene.tryToLogIn() }
        return try await scene.watchForSwitchedAccount()
    }
}
