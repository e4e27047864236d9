extension Attack {
    static let logoutForgery = Attack(
        name: "logout-forgery", title: "Log the victim out", family: .elsewhere,
        page: PackageResources.logout_forgery_md
    ) { scene in
        guard scene.target.storage != .memory else { return .doesNotApply("any reload logs out") }
        let path = scene.target.storage.isOurs ? "/auth/logout" : "/logout"
        try await scene.logIn()
        return try await scene.forge(PackageResources.logout_forgery_html, to: path) { $0 != scene.victim.email }
    }
}
