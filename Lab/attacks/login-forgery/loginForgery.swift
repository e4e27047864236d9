extension Attack {
    static let loginForgery = Attack(
        name: "login-forgery", title: "Log the victim in as the attacker", family: .elsewhere,
        page: PackageResources.login_forgery_md
    ) { scene in
        let path = scene.target.storage.isOurs ? "/auth/login" : "/login"
        try await scene.visit(scene.page(PackageResources.login_forgery_html, for: path), as: "login.html")
        try await wait("the form to arrive") { !scene.requests("POST", path).isEmpty }
        try await scene.openBank()
        try await scene.pause(0.3)
        let shown = try await scene.shownAccount()
        return .of(
            shown == scene.thief.email,
            [
                "the form was answered \(scene.requests("POST", path)[0].status)",
                "then the page is \(shown.isEmpty ? "nobody's" : shown + "'s")",
            ])
    }
}

extension Scene {
    /// A page of the attacker's for one of the bank's paths.
    func page(_ html: [UInt8], for path: String) -> [UInt8] {
        Array(String(decoding: html, as: UTF8.self).replacing("{{PATH}}", with: path).utf8)
    }
}
