extension Attack {
    static let forcedLogin = Attack(
        name: "forced-login", title: "Forced login by XSS", family: .script
    ) { scene in
        guard scene.target.storage != .memory else { return .doesNotApply("every reload ends the session") }
        try await scene.logIn()
        let path = scene.target.storage.isOurs ? "/auth/login" : "/login"
        let before = scene.requests("POST", path).count
        try await scene.injectNow("forced-login/script.js", after: "window.LOGIN = \"\(path)\";\n")
        _ = try await scene.loot()
        let logins = scene.requests("POST", path)
        guard logins.count > before else { throw LabError("the script sent no login") }
        try await scene.openBank()
        let shown = try await scene.shownAccount()
        return .of(
            shown == scene.thief.email,
            ["the login was answered \(logins[before].status)", "after a reload the page shows \(scene.whose(shown))"])
    }
}
