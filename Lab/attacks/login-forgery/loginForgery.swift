extension Attack {
    static let loginForgery = Attack(
        name: "login-forgery", title: "Log the victim in as the attacker", family: .elsewhere,
        page: PackageResources.login_forgery_md
    ) { scene in
        // With these credentials the form would work, were it the app's own.
        _ = try await scene.session(of: scene.thief)
        let path = scene.target.storage.isOurs ? "/auth/login" : "/login"
        return try await scene.forge(PackageResources.login_forgery_html, to: path) { $0 == scene.thief.email }
    }
}
