extension Attack {
    static let sensitiveSessionRiding = Attack(
        name: "sensitive-session-riding", title: "Session riding by XSS, sensitive action",
        family: .script
    ) { scene in
        try await scene.logIn()
        // The login's authentication must be too old for the action when the script runs.
        try await scene.pause(1.5)
        try await scene.injectNow("sensitive-session-riding/script.js")
        _ = try await scene.loot()
        try await wait("the request for the limit") { !scene.requests("POST", "/api/limit").isEmpty }
        if scene.target.storage == .cloakroomStepUp {
            try await wait("the guessed password") { !scene.requests("POST", "/auth/step-up").isEmpty }
        }
        try await scene.pause(0.3)
        let isChanged = scene.victimNow.limit != scene.victim.limit
        let answers = ["/api/limit", "/auth/step-up"].flatMap { path in
            scene.requests("POST", path).map { "\(path) answered \($0.status)" }
        }
        let limits = "the victim's limit is \(scene.victimNow.limit), it was \(scene.victim.limit)"
        return .of(isChanged, answers + [limits])
    }
}
