extension Attack {
    static let rideSensitive = Attack(
        name: "ride-sensitive", title: "Do the sensitive thing from within the page", family: .script,
        page: PackageResources.ride_sensitive_md
    ) { scene in
        try await scene.logIn()
        // The password was typed a moment ago; the attacker comes later.
        try await scene.pause(1.5)
        try await scene.injectNow(PackageResources.ride_sensitive_js)
        _ = try await scene.loot()
        try await wait("the bank to be asked") { !scene.requests("POST", "/api/limit").isEmpty }
        if scene.target.storage == .cloakroomStepUp {
            try await wait("the guess at the password") { !scene.requests("POST", "/auth/step-up").isEmpty }
        }
        try await scene.pause(0.3)
        let isChanged = scene.victimNow.limit != scene.victim.limit
        let answers = ["/api/limit", "/auth/step-up"].flatMap { path in
            scene.requests("POST", path).map { "\(path) was answered \($0.status)" }
        }
        let limits = "the victim's limit is \(scene.victimNow.limit), it was \(scene.victim.limit)"
        return .of(isChanged, answers + [limits])
    }
}
