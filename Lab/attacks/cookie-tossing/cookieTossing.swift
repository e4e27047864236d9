extension Attack {
    static let cookieTossing = Attack(
        name: "cookie-tossing", title: "Cookie tossing", family: .elsewhere
    ) { scene in
        try await scene.logIn()
        try await scene.tossCookies()
        try await scene.openBank()
        return try await scene.watchForSwitchedAccount()
    }
}
