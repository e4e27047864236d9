extension Attack {
    static let maliciousServiceWorker = Attack(
        name: "malicious-service-worker", title: "Malicious service worker installed by XSS", family: .script
    ) { scene in
        try await scene.logIn()
        _ = scene.put(try LabFile.text("attacks/malicious-service-worker/worker.js"), as: "worker.js")
        _ = scene.put(try LabFile.text("attacks/malicious-service-worker/page.js"), as: "page.js")
        try await scene.injectNow("malicious-service-worker/registration.js")
        let answer = try await scene.loot()[0]
        guard let fetched = scene.requests("GET", "/rates").last else { throw LabError("no worker script was fetched") }
        // From here on the page contains no injected script.
        try await scene.openBank()
        if try await scene.shownAccount().isEmpty { try await scene.logIn() }
        try? await wait("the secret", seconds: fetched.status == 200 ? 8 : 2) { scene.hasLost(scene.victim.secret) }
        let hasRead = scene.hasLost(scene.victim.secret)
        guard hasRead || fetched.status != 200 else { throw LabError("the worker was installed and sent nothing") }
        return .of(
            hasRead,
            [
                "the request for the worker's script was answered \(fetched.status); the browser said: \(answer)",
                hasRead
                    ? "at the next visit, without injected script, the secret reached the attacker"
                    : "at the next visit nothing reached the attacker",
            ])
    }
}
