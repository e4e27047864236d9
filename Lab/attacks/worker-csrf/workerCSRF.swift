extension Attack {
    static let workerCSRF = Attack(
        name: "worker-csrf", title: "CSRF via the app's service worker, another site",
        family: .elsewhere
    ) { scene in
        try await scene.installOfflineWorker()
        return try await scene.sendRequestsFromElsewhere(sibling: false)
    }
}
