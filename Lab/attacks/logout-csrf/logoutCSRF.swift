extension Attack {
    static let logoutCSRF = Attack(
        name: "logout-csrf", title: "Logout CSRF", family: .elsewhere
    ) { scene in
        guard scene.target.storage != .memory else { return .doesNotApply("every reload ends the session") }
        let path = scene.target.storage.isOurs ? "/auth/logout" : "/logout"
        try await scene.logIn()
        return try await scene.forge("logout-csrf/page.html", to: path) { $0 != scene.victim.email }
    }
}
