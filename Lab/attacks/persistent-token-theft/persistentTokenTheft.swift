extension Attack {
    static let persistentTokenTheft = Attack(
        name: "persistent-token-theft", title: "Persistent token theft by XSS, script runs first",
        family: .script
    ) { scene in
        try scene.inject("persistent-token-theft/script.js")
        try await scene.logIn()
        return try await scene.intercept()
    }
}
