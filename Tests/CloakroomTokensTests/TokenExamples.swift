import CloakroomCore

@testable import CloakroomTokens

/// An issuer and a resource server that verifies its tokens, at a fixed time.
struct TokenWorld {
    static let now = Instant(milliseconds: 1_800_000_000_000)
    /// The time of the monotonic clock.
    static let uptime = Duration.seconds(1000)
    static let issuer = "https://issuer.example"
    static let audience = "https://api.example"

    let policy: SessionPolicy
    let keys: LiveKeys<IssuerKeys>
    let issuer: TokenIssuer
    let verifier: TokenVerifier

    init(
        _ algorithm: SignatureAlgorithm = .es256, issuer name: String = issuer, audience: String = audience,
        policy: SessionPolicy = SessionPolicy(), claimNames: Set<String> = [], statusLists: StatusListService? = nil
    ) throws {
        self.policy = policy
        let keys = LiveKeys(try Self.issuerKeys(algorithm))
        self.keys = keys
        issuer = TokenIssuer(
            issuer: name, audience: audience, keys: keys, claimNames: claimNames, statusLists: statusLists)
        verifier = Self.verifier(keys, issuer: name, audience: audience, policy: policy)
    }

    static func verifier(
        _ keys: LiveKeys<IssuerKeys>, issuer: String = issuer, audience: String = audience,
        policy: SessionPolicy = SessionPolicy()
    ) -> TokenVerifier {
        TokenVerifier(
            issuer: issuer, audience: audience, policy: policy, keys: keys.current.verifierKeys,
            revocations: RevocationView(accessTokenLifetime: policy.accessTokenLifetime),
            checkRefresh: { half throws(TokenFault) in try keys.current.read(refreshToken: half.bytes.bytes).session })
    }

    static func issuerKeys(_ algorithm: SignatureAlgorithm, secret: UInt8 = 7) throws -> IssuerKeys {
        try IssuerKeys(
            signing: [.init(key: SigningKey.generate(algorithm), createdAt: now, signsFrom: now)],
            refresh: [.init(key: refreshKey("r1", secret), createdAt: now)])
    }

    static func refreshKey(_ id: String, _ secret: UInt8) -> RefreshKey {
        RefreshKey(id: id, secret: Secret([UInt8](repeating: secret, count: 32)))
    }

    /// Exchanges the keys of the issuer and of the resource server, as a key watch does.
    func replaceKeys(with newer: IssuerKeys) {
        keys.replace(with: newer)
        verifier.replaceKeys(with: newer.verifierKeys)
    }

    /// The public keys.
    var keySet: KeySet { keys.current.verifierKeys.keySet }

    func access(for session: Session = .example(), at now: Instant = now) throws -> VerifiedAccess {
        try issuer.accessToken(
            for: session, generation: session.generation, tokenID: [1, 2, 3], at: now, under: policy)
    }

    func cookie(for session: Session = .example(), at now: Instant = now) throws -> [UInt8] {
        let access = try access(for: session, at: now).token
        return Array(SessionTokens.join(access: access, refresh: try issuer.refreshToken(for: session)).utf8)
    }

    /// A token of the issuer's signing key with other claims, or of another type.
    func sign(_ claims: JSONObject, type: String = "at+jwt") throws -> [UInt8] {
        try keys.current.signingKey(at: Self.now).sign(claims, type: type)
    }

    /// The claims of a good access token.
    func claims() throws -> JSONObject {
        try VerifiedJWS.verify(try access().token.bytes, with: keySet).claims()
    }
}

extension Session {
    static func example(
        _ id: String = "session", secret: UInt8 = 3, client: ClientID = .browser,
        authenticatedAt time: Instant = TokenWorld.now, subject: Subject = Subject("u_someone"),
        evidence: Evidence? = nil
    ) -> Session {
        Session(
            id: SessionID(id), subject: subject, secret: Secret([UInt8](repeating: secret, count: 32)),
            refreshKey: "r1",
            details: Session.Details(
                client: client, remembered: false, userAgent: "",
                address: "", evidence: evidence ?? Evidence(.password, at: time)),
            at: TokenWorld.now, under: SessionPolicy())
    }
}

/// The fault that `work` throws, if it does.
func fault(_ work: () throws -> some Any) -> TokenFault? {
    do {
        _ = try work()
        return nil
    } catch {
        return error as? TokenFault
    }
}
