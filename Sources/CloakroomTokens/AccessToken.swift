public import CloakroomCore

/// A request's authority: an access token that we verified, or issued while we handled this request.
///
/// It has no public initializer: a value of this type proves that the check has been made. A copy is one reference,
/// because each request makes several.
public struct VerifiedAccess: Hashable, Sendable {
    private struct Contents: Hashable {
        let subject: Subject
        let session: SessionID
        let client: ClientID
        let generation: Int
        let authentication: Authentication
        let host: SessionHost
        let issuedAt: Instant
        let expiresAt: Instant
        let token: Secret
        let claims: Claims
        let claimsText: String
    }

    private final class Storage: Sendable {
        let contents: Contents

        init(_ contents: Contents) {
            self.contents = contents
        }
    }

    private let storage: Storage

    init(_ claims: AccessClaims, token: Secret) {
        storage = Storage(
            Contents(
                subject: claims.subject, session: claims.session, client: claims.client,
                generation: claims.generation, authentication: claims.authentication, host: claims.host,
                issuedAt: claims.issuedAt, expiresAt: claims.expiresAt, token: token, claims: claims.claims,
                claimsText: claims.claims.asciiText))
    }

    /// Whose authority it is (`sub`).
    public var subject: Subject { storage.contents.subject }
    /// The session that it comes from (`sid`).
    public var session: SessionID { storage.contents.session }
    /// The client application (`client_id`).
    public var client: ClientID { storage.contents.client }
    /// The host whose requests may use it.
    package var host: SessionHost { storage.contents.host }
    /// The generation that it was issued with (`gen`).
    package var generation: Int { storage.contents.generation }
    /// How and when the person proved who they are.
    public var authentication: Authentication { storage.contents.authentication }
    /// `iat`
    public var issuedAt: Instant { storage.contents.issuedAt }
    /// `exp`
    public var expiresAt: Instant { storage.contents.expiresAt }
    /// The claims that the app added, such as roles.
    public var claims: Claims { storage.contents.claims }
    /// The claims as JSON in ASCII; `{}` without. Every check sends it, so it is written once.
    package var claimsText: String { storage.contents.claimsText }
    /// The token itself, for an upstream that verifies it again; never for the browser.
    package var token: Secret { storage.contents.token }

    /// Whether they say the same and come from the same token.
    public static func == (one: Self, other: Self) -> Bool {
        one.storage === other.storage || one.storage.contents == other.storage.contents
    }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(storage.contents)
    }
}

/// An access token that is valid except for its times. It gives no access.
package struct ExpiredAccess: Hashable, Sendable {
    package let access: VerifiedAccess

    init(_ access: VerifiedAccess) {
        self.access = access
    }
}

/// The result of the check of an access token.
package enum CheckedAccess: Hashable, Sendable {
    case live(VerifiedAccess)
    case expired(ExpiredAccess)
    /// `iat` is in the future: a clock was ahead then, or is behind now.
    case early(ExpiredAccess)

    var access: VerifiedAccess {
        switch self {
        case .live(let access): access
        case .expired(let expired), .early(let expired): expired.access
        }
    }
}

/// Verifies access tokens with public keys only, in a resource server.
package struct AccessTokenVerifier: Sendable {
    package let issuer: String
    package let audience: String
    /// A token whose `exp` is further in the future than this, or that long after its `iat`, counts as expired: the
    /// revocation of its session is kept for this time.
    package let maximumLifetime: Span
    private let keys: @Sendable () -> KeySet
    private let isRetired: @Sendable (_ keyID: String?, _ now: Instant) -> Bool

    /// - Parameters:
    ///   - keys: every key that may have signed a token, including tokens that expired long ago.
    ///   - isRetired: whether all tokens that a key signed must have expired by now.
    package init(
        issuer: String, audience: String, maximumLifetime: Span, keys: @escaping @Sendable () -> KeySet,
        isRetired: @escaping @Sendable (_ keyID: String?, _ now: Instant) -> Bool
    ) {
        self.issuer = issuer
        self.audience = audience
        self.maximumLifetime = maximumLifetime
        self.keys = keys
        self.isRetired = isRetired
    }

    /// - Throws: `TokenFault` for every fault that `CheckedAccess` does not have a case for.
    package func verify(_ token: some Collection<UInt8>, at now: Instant) throws(TokenFault) -> CheckedAccess {
        let jws = try VerifiedJWS.verify(token, with: keys())
        try jws.checkType(AccessClaims.type)
        let members = try jws.claims()
        let claims = try AccessClaims(members, issuer: issuer, audience: audience)
        if members["nbf"] != nil, try AccessClaims.date(members, "nbf") > now + Span.clockLeeway { throw .notYetValid }
        let checked = check(VerifiedAccess(claims, token: Secret(Array(token))), at: now)
        // A stolen key that no longer signs opens nothing.
        if case .live = checked, isRetired(jws.keyID, now) { throw .unknownKey }
        return checked
    }

    /// Checks the times of a token whose other parts have been verified.
    func check(_ access: VerifiedAccess, at now: Instant) -> CheckedAccess {
        guard access.issuedAt <= now + Span.clockLeeway else { return .early(ExpiredAccess(access)) }
        let isLive =
            now < access.expiresAt && access.expiresAt <= now + maximumLifetime + Span.clockLeeway
            && !hasLongLifetime(access)
        return isLive ? .live(access) : .expired(ExpiredAccess(access))
    }

    /// Whether the token is valid for longer than `maximumLifetime`.
    func hasLongLifetime(_ access: VerifiedAccess) -> Bool {
        access.expiresAt > access.issuedAt + maximumLifetime + Span.clockLeeway
    }
}
