extension Attack {
    static let launderedSiblingRequest = Attack(
        name: "laundered-sibling-request", title: "The same worker, a sibling host's requests", family: .elsewhere,
        page: PackageResources.laundered_sibling_request_md
    ) { scene in
        try await scene.installOfflineWorker()
        return try await scene.sendRequestsFromElsewhere(sibling: true)
    }
}
