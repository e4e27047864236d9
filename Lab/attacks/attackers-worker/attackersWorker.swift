extension Attack {
    static let attackersWorker = Attack(
        name: "attackers-worker", title: "Leave a service worker behind", family: .script,
        page: PackageResources.attackers_worker_md
    ) { scene in
        try await scene.logIn()
        _ = scene.put(PackageResources.attackers_worker_js, as: "worker.js")
        _ = scene.put(PackageResources.attackers_page_js, as: "page.js")
        try await scene.injectNow(PackageResources.attackers_registration_js)
        let answer = try await scene.loot()[0]
        guard let fetched = scene.requests("GET", "/rates").last else { throw LabError("no worker was asked for") }
        // The hole in the page is mended, and the victim comes back.
        try await scene.openBank()
        if try await scene.shownAccount().isEmpty { try await scene.logIn() }
        try? await wait("the secret", seconds: fetched.status == 200 ? 8 : 2) { scene.hasLost(scene.victim.secret) }
        let hasRead = scene.hasLost(scene.victim.secret)
        guard hasRead || fetched.status != 200 else { throw LabError("the worker is there and says nothing") }
        return .of(
            hasRead,
            [
                "the script for it was answered \(fetched.status); the browser said: \(answer)",
                hasRead
                    ? "at the next visit, without any injected script, the secret reached the attacker"
                    : "at the next visit nothing reached the attacker",
            ])
    }
}
