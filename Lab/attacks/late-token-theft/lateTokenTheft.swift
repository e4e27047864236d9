extension Attack {
    static let lateTokenTheft = Attack(
        name: "late-token-theft", title: "Persistent token theft by XSS, script runs later",
        family: .script
    ) { scene in
        try await scene.logIn()
        try await scene.injectNow("persistent-token-theft/script.js")
        return try await scene.intercept()
    }
}
