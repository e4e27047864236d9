extension Attack {
    static let plantSession = Attack(
        name: "plant-session", title: "Replace the victim's session by the attacker's", family: .script,
        page: PackageResources.plant_session_md
    ) { scene in
        try await scene.logIn()
        let own = try await scene.thiefsOwnSession()
        let script = "window.PLANTED = \(own.asScriptString);\n".utf8 + PackageResources.plant_session_js
        try await scene.injectNow(Array(script))
        _ = try await scene.loot()
        try await scene.openBank()
        let shown = try await scene.shownAccount()
        return .of(
            shown == scene.thief.email, ["after a reload the page is \(shown.isEmpty ? "nobody's" : shown + "'s")"])
    }
}
