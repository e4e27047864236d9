/// A bank with two accounts and no attack: for whoever carries out one by hand, with a browser or with curl.
package struct OpenBank: Sendable {
    package let storage: StorageChoice
    private let target: Target

    package static let victim = "ann@example.com"
    package static let thief = "mallory@example.com"
    package static let password = Scene.password
    private static let host = "app.hand.localhost"
    /// Long enough to copy a token from one window to another.
    private static let accessTokenLife = 60.0

    package init(_ storage: StorageChoice, _ openStore: Lab.OpenStore) async throws {
        self.storage = storage
        target = try await Target(storage, openStore, accessTokenLife: Self.accessTokenLife)
        for email in [Self.victim, Self.thief] {
            _ = try await target.open(email, password: Self.password, host: Self.host)
        }
    }

    package var address: String { "http://\(Self.host):\(target.server.port)/" }

    package func end() { target.end() }
}
