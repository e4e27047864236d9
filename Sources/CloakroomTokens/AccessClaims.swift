package import CloakroomCore

/// The claims of an access token (RFC 9068 section 2.2).
struct AccessClaims: Hashable, Sendable {
    var issuer: String
    var audience: String
    var subject: Subject
    var client: ClientID
    var issuedAt: Instant
    var expiresAt: Instant
    var tokenID: String
    var session: SessionID
    var generation: Int
    var authentication: Authentication
    var host = SessionHost.login
    /// Those of the app.
    var claims = Claims.empty
    /// `status`, for verifiers that poll. Verifiers of this module follow the feed of revocations, and do not read it.
    var status: JSONValue?

    /// `typ` (RFC 9068 section 2.1).
    static let type = "at+jwt"

    var json: JSONObject {
        var json: JSONObject = [
            "iss": .string(issuer), "sub": .string(subject.rawValue), "aud": .string(audience),
            "client_id": .string(client.rawValue), "iat": NumericDate.json(issuedAt),
            "exp": NumericDate.json(expiresAt), "jti": .string(tokenID), "sid": .string(session.rawValue),
            "gen": .integer(Int64(generation)), "auth_time": .integer(authentication.time.seconds),
            "acr": .string(authentication.level.rawValue),
            "amr": .array(authentication.methods.map { .string($0) }),
        ]
        json[Self.lowerLevels] = AuthenticationTimes.json(authentication.lowerLevels, after: authentication.time)
        if let host = host.claim { json[Self.host] = .string(host) }
        json[Self.status] = status
        for member in claims.json.members { json.append(member.name, member.value) }
        return json
    }

    /// A private claim: RFC 9470 has one `auth_time` for all levels, but a password may be fresher than the passkey
    /// that `acr` stands for. `auth_time` is that of `acr`, so a verifier that reads only those two is never too mild.
    fileprivate static let lowerLevels = "auth_times"

    /// The Token Status List (draft-ietf-oauth-status-list-20 section 6.1). No claim of an app can have this name.
    fileprivate static let status = "status"

    /// A private claim: the host of the session, unless that is the login host. No claim of an app can have this name.
    fileprivate static let host = "cloakroom:host"
}

extension AccessClaims {
    /// Reads the claims of a verified token that was issued for `audience`.
    /// - Throws: `TokenFault.wrongIssuer`, `.wrongAudience`, or `.badClaim` with the first claim that is missing.
    init(_ claims: JSONObject, issuer: String, audience: String) throws(TokenFault) {
        // By bytes: String equality treats canonically equivalent spellings as the same (RFC 7519 section 7.3).
        guard claims["iss"]?.stringValue.map({ $0.utf8.elementsEqual(issuer.utf8) }) == true else { throw .wrongIssuer }
        try Audience.check(claims["aud"], names: audience)
        self.issuer = issuer
        self.audience = audience
        subject = Subject(try Self.string(claims, "sub"))
        client = ClientID(try Self.string(claims, "client_id"))
        issuedAt = try Self.date(claims, "iat")
        expiresAt = try Self.date(claims, "exp")
        tokenID = try Self.string(claims, "jti")
        session = SessionID(try Self.string(claims, "sid"))
        if claims[Self.host] != nil { host = .other(try Self.string(claims, Self.host)) }
        generation = try Self.generation(claims)
        let level = AuthenticationLevel(rawValue: try Self.string(claims, "acr"))
        guard let level else { throw .badClaim("acr") }
        guard let amr = claims["amr"]?.arrayValue, amr.allSatisfy({ $0.stringValue != nil }) else {
            throw .badClaim("amr")
        }
        let methods = amr.compactMap(\.stringValue)
        self.claims = Claims(ofToken: claims)
        authentication = Authentication(time: try Self.date(claims, "auth_time"), methods: methods, level: level)
        let lower = AuthenticationTimes.read(claims[Self.lowerLevels], after: authentication.time)
        guard let lower else { throw .badClaim(Self.lowerLevels) }
        authentication.lowerLevels = lower
    }

    static func string(_ claims: JSONObject, _ name: String) throws(TokenFault) -> String {
        guard let value = claims[name]?.stringValue, 1...256 ~= value.utf8.count else { throw .badClaim(name) }
        return value
    }

    static func date(_ claims: JSONObject, _ name: String) throws(TokenFault) -> Instant {
        guard let instant = NumericDate.instant(claims[name]) else { throw .badClaim(name) }
        return instant
    }

    static func generation(_ claims: JSONObject) throws(TokenFault) -> Int {
        guard let value = claims["gen"]?.integerValue, 0...Int64(Int32.max) ~= value else { throw .badClaim("gen") }
        return Int(value)
    }
}

/// The `aud` claim (RFC 7519 section 4.1.3): one string, or an array of them.
package enum Audience {
    /// - Throws: `TokenFault.wrongAudience` unless the claim contains `expected`; a malformed claim contains nothing.
    package static func check(_ claim: JSONValue?, names expected: String) throws(TokenFault) {
        switch claim {
        case .string(let audience)? where audience.utf8.elementsEqual(expected.utf8):
            return
        case .array(let audiences)?
        where audiences.count <= 16 && audiences.allSatisfy({ $0.stringValue != nil })
            && audiences.contains(where: { $0.stringValue?.utf8.elementsEqual(expected.utf8) == true }):
            return
        case .string, .array, .object, .integer, .number, .bool, .null, nil:
            throw .wrongAudience
        }
    }
}
