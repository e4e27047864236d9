package import CloakroomCore

/// Where a `ResourceServer` learns of revoked sessions: the stream `GET /service/revocations` on the private listener of
/// the issuer.
public struct RevocationSource: Sendable {
    package let listener: String
    package let key: Secret
    package let staleAfter: Duration
    package let insecureTrustsTokensWhenStale: Bool

    /// - Parameters:
    ///   - privateListener: the address of the issuer's private listener: `unix:/run/cloakroom/private.sock`, or
    ///     `http://127.0.0.1:8081`.
    ///   - key: a service key with the scope `revocations:read`.
    ///   - staleAfter: how long tokens are accepted without news from the stream, which come four times a second. A
    ///     session that was revoked meanwhile works for that long.
    ///   - insecureTrustsTokensWhenStale: what happens then. By default requests with a token get 503, because the app
    ///     cannot know which sessions were revoked. With true it accepts access tokens until they expire: revoked
    ///     sessions go on working for that long, and an attacker who can interrupt the stream can bring that about.
    public init(
        privateListener: String, key: String, staleAfter: Duration = .seconds(1),
        insecureTrustsTokensWhenStale: Bool = false
    ) {
        listener = privateListener
        self.key = Secret(Array(key.utf8))
        self.staleAfter = staleAfter
        self.insecureTrustsTokensWhenStale = insecureTrustsTokensWhenStale
    }
}
