extension Attack {
    static let xssSessionFixation = Attack(
        name: "xss-session-fixation", title: "Session fixation by XSS", family: .script
    ) { scene in
        guard scene.target.storage != .memory else { return .doesNotApply("every reload ends the session") }
        try await scene.logIn()
        let own = try await scene.session(of: scene.thief)
        try await scene.injectNow("xss-session-fixation/script.js", after: "window.PLANTED = \(own.asScriptString);\n")
        _ = try await scene.loot()
        try await scene.openBank()
        let shown = try await scene.shownAccount()
        guard scene.requests("GET", "/api/account").contains(where: { $0.cookie?.contains(/[fg]\d+=\d+/) == true })
        else { throw LabError("the bank received none of the script's cookies") }
        return .of(
            shown == scene.thief.email,
            ["the bank received the script's cookies", "after a reload the page shows \(scene.whose(shown))"])
    }
}
