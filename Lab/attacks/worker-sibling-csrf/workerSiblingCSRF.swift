extension Attack {
    static let workerSiblingCSRF = Attack(
        name: "worker-sibling-csrf", title: "CSRF via the app's service worker, sibling host",
        family: .elsewhere
    ) { scene in
        try await scene.installOfflineWorker()
        return try await scene.sendRequestsFromElsewhere(sibling: true)
    }
}
