/// A bank with two accounts and no attack, for attacks by hand with a browser or curl.
struct OpenBank: Sendable {
    let storage: StorageChoice
    private let target: Target

    static let victim = "ann@example.com"
    static let thief = "mallory@example.com"
    static let password = Scene.password
    private static let host = "app.hand.localhost"
    /// Seconds; long enough to copy a token from one window to another.
    private static let accessTokenLife = 60.0

    init(_ storage: StorageChoice) async throws {
        self.storage = storage
        target = try await Target(storage, accessTokenLife: Self.accessTokenLife)
        for email in [Self.victim, Self.thief] {
            _ = try await target.open(email, password: Self.password, host: Self.host)
        }
    }

    var address: String { "http://\(Self.host):\(target.server.port)/" }

    func end() { target.end() }
}
