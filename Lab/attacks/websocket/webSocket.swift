extension Attack {
    static let webSocket = Attack(
        name: "websocket", title: "Open the app's WebSocket from another site", family: .elsewhere,
        page: PackageResources.websocket_md
    ) { try await $0.openSocketFromElsewhere(sibling: false) }
}
