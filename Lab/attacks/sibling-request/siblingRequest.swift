extension Attack {
    static let siblingRequest = Attack(
        name: "sibling-request", title: "Have a sibling host send requests", family: .elsewhere,
        page: PackageResources.sibling_request_md
    ) { try await $0.sendRequestsFromElsewhere(sibling: true) }
}
