package import CloakroomCore
import Crypto

/// A refresh token whose MAC is valid: it names a session and a generation. Only the store decides whether they are
/// still valid.
package struct RefreshToken: Hashable, Sendable {
    package let session: SessionID
    package let presented: PresentedRefresh
    package let expiresAt: Instant
    /// The host of the request that presents the token.
    private var host = SessionHost.login
    private let tokenID: [UInt8]

    init(_ token: some Collection<UInt8>, with keys: KeySet) throws(TokenFault) {
        let jws = try VerifiedJWS.verify(token, with: keys)
        try jws.checkType(Self.type)
        let claims = try jws.claims()
        session = SessionID(try AccessClaims.string(claims, "sid"))
        presented = PresentedRefresh(
            generation: try AccessClaims.generation(claims), issuedAt: try AccessClaims.date(claims, "iat"),
            key: jws.keyID ?? "")
        expiresAt = try AccessClaims.date(claims, "exp")
        guard let tokenID = Base64URL.decode(try AccessClaims.string(claims, "jti")) else { throw .badClaim("jti") }
        self.tokenID = tokenID
    }

    static let type = "rt+jwt"

    /// The token as a request to this host presents it.
    package func presented(at host: SessionHost) -> Self {
        var token = self
        token.host = host
        return token
    }

    /// Whether this is the genuine token of its generation: an attacker with the keys cannot forge it without the
    /// session's secret, which only the store has. False if the request is for another host than that of the session.
    package func isGenuine(for session: Session, under keys: IssuerKeys) -> Bool {
        guard host == session.host, let key = keys.refreshKey(presented.key) else { return false }
        return constantTimeEqual(
            tokenID, key.tokenID(session: session.id, generation: presented.generation, secret: session.secret))
    }
}

/// One generation of the issuer's refresh secret, split by purpose so that neither use can be turned into the other.
package struct RefreshKey: Sendable {
    package let id: String
    package let secret: Secret
    let verificationKey: VerificationKey
    private let signing: SymmetricKey
    private let naming: SymmetricKey
    private let vouching: SymmetricKey

    package init(id: String, secret: Secret) {
        self.id = id
        self.secret = secret
        let master = SymmetricKey(data: secret.bytes)
        signing = Self.derive(master, "cloakroom refresh token signature")
        naming = Self.derive(master, "cloakroom refresh token id")
        vouching = Self.derive(master, "cloakroom xsrf token")
        verificationKey = VerificationKey(id: id, secret: Secret(signing.withUnsafeBytes { Array($0) }))
    }

    private static func derive(_ master: SymmetricKey, _ purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: master, info: Array(purpose.utf8), outputByteCount: 32)
    }

    /// `jti`: 128 bits that need this key and the session's own secret.
    func tokenID(session: SessionID, generation: Int, secret: Secret) -> [UInt8] {
        var message = Array(session.rawValue.utf8) + [0]
        withUnsafeBytes(of: UInt64(generation).bigEndian) { message.append(contentsOf: $0) }
        message.append(contentsOf: secret.bytes)
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: naming).prefix(16))
    }

    /// The value of a session's XSRF cookie, which only our own pages can read: 128 bits, constant for its lifetime.
    package func xsrfToken(for session: SessionID) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(session.rawValue.utf8), using: vouching).prefix(16))
    }

    /// The refresh token of the session's current generation. Every field comes from the session's row, so the same
    /// generation always has the same bytes.
    func token(for session: Session) -> [UInt8] {
        let tokenID = tokenID(session: session.id, generation: session.generation, secret: session.secret)
        let claims: JSONObject = [
            "sid": .string(session.id.rawValue), "gen": .integer(Int64(session.generation)),
            "iat": .integer(session.rotatedAt.seconds),
            // Rounded up: the row decides to the millisecond, the token must not end before it.
            "exp": .integer((session.expiresAt + Span(milliseconds: 999)).seconds),
            "jti": .string(Base64URL.encode(tokenID)),
        ]
        let message = JWSMessage.bytes(algorithm: .hs256, keyID: id, type: RefreshToken.type, claims: claims)
        return JWSMessage.join(message, Array(HMAC<SHA256>.authenticationCode(for: message, using: signing)))
    }
}
