extension Attack {
    static let siblingWebSocket = Attack(
        name: "sibling-websocket", title: "Open the app's WebSocket from a sibling host", family: .elsewhere,
        page: PackageResources.sibling_websocket_md
    ) { try await $0.openSocketFromElsewhere(sibling: true) }
}
