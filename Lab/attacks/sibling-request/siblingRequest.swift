extension Attack {
    static let siblingRequest = Attack(
        name: "sibling-request", title: "Have a sibling host send requests", family: .elsewhere
    ) { try await $0.sendRequestsFromElsewhere(sibling: true) }
}
