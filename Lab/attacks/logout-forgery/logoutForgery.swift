extension Attack {
    static let logoutForgery = Attack(
        name: "logout-forgery", title: "Log the victim out", family: .elsewhere,
        page: PackageResources.logout_forgery_md
    ) { scene in
        guard scene.target.storage != .memory else { return .doesNotApply("any reload logs out") }
        let path = scene.target.storage.isOurs ? "/auth/logout" : "/logout"
        try await scene.logIn()
        try await scene.visit(scene.page(PackageResources.logout_forgery_html, for: path), as: "logout.html")
        try await wait("the form to arrive") { !scene.requests("POST", path).isEmpty }
        try await scene.openBank()
        try await scene.pause(0.3)
        let shown = try await scene.shownAccount()
        return .of(
            shown != scene.victim.email,
            [
                "the form was answered \(scene.requests("POST", path)[0].status)",
                "then the page is \(shown.isEmpty ? "nobody's" : shown + "'s")",
            ])
    }
}
