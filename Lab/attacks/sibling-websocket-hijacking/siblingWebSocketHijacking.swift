extension Attack {
    static let siblingWebSocketHijacking = Attack(
        name: "sibling-websocket-hijacking", title: "WebSocket hijacking from a sibling host",
        family: .elsewhere
    ) { try await $0.openSocketFromElsewhere(sibling: true) }
}
