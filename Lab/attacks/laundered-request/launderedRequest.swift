extension Attack {
    static let launderedRequest = Attack(
        name: "laundered-request", title: "Have the app's own service worker send them (CSRF)", family: .elsewhere,
        page: PackageResources.laundered_request_md
    ) { scene in
        try await scene.installOfflineWorker()
        return try await scene.sendRequestsFromElsewhere(sibling: false)
    }
}
