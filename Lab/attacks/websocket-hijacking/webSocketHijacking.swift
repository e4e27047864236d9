extension Attack {
    static let webSocketHijacking = Attack(
        name: "websocket-hijacking", title: "WebSocket hijacking from another site", family: .elsewhere
    ) { try await $0.openSocketFromElsewhere(sibling: false) }
}
