import CloakroomTokens

extension Attack {
    static let loginFromWithin = Attack(
        name: "login-from-within", title: "Log in as the attacker from within the page", family: .script,
        page: PackageResources.login_from_within_md
    ) { scene in
        guard scene.target.storage != .memory else { return .doesNotApply("any reload logs out") }
        try await scene.logIn()
        let path = scene.target.storage.isOurs ? "/auth/login" : "/login"
        let before = scene.requests("POST", path).count
        let script = "window.LOGIN = \"\(path)\";\n".utf8 + PackageResources.login_from_within_js
        try await scene.injectNow(Array(script))
        _ = try await scene.loot()
        let logins = scene.requests("POST", path)
        guard logins.count > before else { throw LabError("the script has not logged in") }
        try await scene.openBank()
        let shown = try await scene.shownAccount()
        return .of(
            shown == scene.thief.email,
            ["the login was answered \(logins[before].status)", "after a reload the page is \(scene.whose(shown))"])
    }
}
