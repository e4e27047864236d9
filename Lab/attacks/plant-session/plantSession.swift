extension Attack {
    static let plantSession = Attack(
        name: "plant-session", title: "Replace the victim's session by the attacker's", family: .script,
        page: PackageResources.plant_session_md
    ) { scene in
        guard scene.target.storage != .memory else { return .doesNotApply("any reload logs out") }
        try await scene.logIn()
        let own = try await scene.session(of: scene.thief)
        let script = "window.PLANTED = \(own.asScriptString);\n".utf8 + PackageResources.plant_session_js
        try await scene.injectNow(Array(script))
        _ = try await scene.loot()
        try await scene.openBank()
        let shown = try await scene.shownAccount()
        guard scene.requests("GET", "/api/account").contains(where: { $0.cookie?.contains(/[fg]\d+=\d+/) == true })
        else { throw LabError("no planted cookie came back to the bank") }
        return .of(
            shown == scene.thief.email,
            ["the planted cookies came back to the bank", "after a reload the page is \(scene.whose(shown))"])
    }
}
