package import CloakroomCore

/// Where a `ResourceServer` learns of revoked sessions: the stream `GET /service/revocations` on the private listener of
/// the issuer.
public struct RevocationSource: Sendable {
    package let listener: String
    package let key: Secret
    package let insecureTrustsTokensWhenStale: Bool

    /// - Parameters:
    ///   - privateListener: the address of the issuer's private listener: `unix:/run/cloakroom/private.sock`, or
    ///     `http://127.0.0.1:8081`.
    ///   - key: a service key with the scope `revocations:read`.
    ///   - insecureTrustsTokensWhenStale: what happens when nothing was read from the stream for five seconds. By
    ///     default requests with a token get 503 then, because the app cannot know which sessions were revoked. With
    ///     true it accepts access tokens until they expire: revoked sessions go on working for that long, and an
    ///     attacker who can interrupt the stream can bring that about.
    public init(privateListener: String, key: String, insecureTrustsTokensWhenStale: Bool = false) {
        listener = privateListener
        self.key = Secret(Array(key.utf8))
        self.insecureTrustsTokensWhenStale = insecureTrustsTokensWhenStale
    }
}
