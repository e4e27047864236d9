package import CloakroomCore

/// The issuer's keys: private keys that sign access tokens, and separate secrets for refresh tokens.
///
/// Which key signs is a function of the time alone, so every instance with the same keys agrees without talking. A
/// resource server is given `verifierKeys` only.
package struct IssuerKeys: Sendable {
    /// A signing key and when it begins to sign. It is published before that, so that verifiers have it in time.
    package struct SigningEntry: Sendable {
        package let key: SigningKey
        package let createdAt: Instant
        package let signsFrom: Instant

        package init(key: SigningKey, createdAt: Instant, signsFrom: Instant) {
            self.key = key
            self.createdAt = createdAt
            self.signsFrom = signsFrom
        }
    }

    /// A refresh secret and when it begins to sign. Other instances read it before that, so that they can verify what it
    /// signs.
    package struct RefreshEntry: Sendable {
        package let key: RefreshKey
        package let createdAt: Instant
        package let signsFrom: Instant

        /// - Parameter start: nil for a secret that signs at once.
        package init(key: RefreshKey, createdAt: Instant, signsFrom start: Instant? = nil) {
            self.key = key
            self.createdAt = createdAt
            signsFrom = start ?? createdAt
        }
    }

    /// Why a set of keys cannot be used.
    package struct Refusal: Error, Hashable, Sendable {
        package let reason: String
    }

    package let signing: [SigningEntry]
    package let refresh: [RefreshEntry]
    /// Ids of signing keys that an operator removed because they were stolen, oldest first.
    package let removed: [String]
    /// The longest lifetime of a session under these keys. Tokens of a key may be needed for that long.
    package let longestSession: Span
    /// The public half, for resource servers.
    package let verifierKeys: VerifierKeys
    let refreshKeys: KeySet

    package init(
        signing: [SigningEntry], refresh: [RefreshEntry], removed: [String] = [],
        longestSession: Span = Span(milliseconds: 0)
    ) throws {
        guard !signing.isEmpty, !refresh.isEmpty else { throw Refusal(reason: "a key of each kind is needed") }
        // Keys that begin at the same time have the order of their ids, so that every instance signs with the same one.
        self.signing = signing.sorted { ($0.signsFrom, $0.key.id) < ($1.signsFrom, $1.key.id) }
        self.refresh = refresh.sorted { ($0.signsFrom, $0.key.id) < ($1.signsFrom, $1.key.id) }
        self.removed = removed
        self.longestSession = longestSession
        verifierKeys = try VerifierKeys(
            self.signing.map { .init(key: try $0.key.verificationKey(), signsFrom: $0.signsFrom) }, removed: removed)
        refreshKeys = try KeySet(refresh.map(\.key.verificationKey))
    }

    /// The key that signs access tokens at `now`.
    package func signingKey(at now: Instant) -> SigningKey {
        (signing.last { $0.signsFrom <= now } ?? signing[0]).key
    }

    /// The secret that signs new generations at `now`.
    package func refreshKey(at now: Instant) -> RefreshKey {
        (refresh.last { $0.signsFrom <= now } ?? refresh[0]).key
    }

    package func refreshKey(_ id: String) -> RefreshKey? {
        refresh.first { $0.key.id == id }?.key
    }

    /// Parses a refresh token and verifies its MAC.
    package func read(refreshToken bytes: some Collection<UInt8>) throws(TokenFault) -> RefreshToken {
        try RefreshToken(bytes, with: refreshKeys)
    }

    /// The public key set (RFC 7517 section 5): keys that sign, will sign, or signed tokens that have not expired.
    package func publicKeySet(at now: Instant, lifetime: Span) throws -> JSONValue {
        let live = signing.filter { verifierKeys.stage(of: $0.key.id, at: now, lifetime: lifetime) != .retired }
        return ["keys": .array(try live.map { .object(try $0.key.publicJWK()) })]
    }
}
