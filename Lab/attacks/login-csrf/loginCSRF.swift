extension Attack {
    static let loginCSRF = Attack(
        name: "login-csrf", title: "Login CSRF", family: .elsewhere
    ) { scene in
        // Fails the cell if the credentials in the form do not work.
        _ = try await scene.session(of: scene.thief)
        let path = scene.target.storage.isOurs ? "/auth/login" : "/login"
        return try await scene.forge("login-csrf/page.html", to: path) { $0 == scene.thief.email }
    }
}
