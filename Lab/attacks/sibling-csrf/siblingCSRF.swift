extension Attack {
    static let siblingCSRF = Attack(
        name: "sibling-csrf", title: "CSRF from a sibling host", family: .elsewhere
    ) { try await $0.sendRequestsFromElsewhere(sibling: true) }
}
