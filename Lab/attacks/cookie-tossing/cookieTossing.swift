extension Attack {
    static let cookieTossing = Attack(
        name: "cookie-tossing", title: "Toss in cookies from a sibling host", family: .elsewhere,
        page: PackageResources.cookie_tossing_md
    ) { scene in
        try await scene.logIn()
        try await scene.tossCookies()
        try await scene.openBank()
        return try await scene.watchForSwitchedAccount()
    }
}
