extension Attack {
    static let csrf = Attack(
        name: "csrf", title: "CSRF from another site", family: .elsewhere
    ) { try await $0.sendRequestsFromElsewhere(sibling: false) }
}
