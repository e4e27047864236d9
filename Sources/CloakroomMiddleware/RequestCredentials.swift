package import CloakroomCore
package import CloakroomTokens
package import HTTPTypes

/// What a request presents, verified as far as that goes without I/O.
package struct RequestCredentials: Sendable {
    /// nil when the request has none.
    package let cookie: Result<SessionTokens.Checked, TokenFault>?
    /// nil when the request has none.
    package let bearer: Result<VerifiedAccess, TokenFault>?

    /// More cookies of one name than this are not even verified.
    private static let maximumCookies = 4

    package init(
        _ headers: HTTPFields, cookie: SessionCookie, verifier: TokenVerifier, at now: Instant
    ) {
        self.cookie = Self.cookie(cookie.values(in: headers), verifier, now)
        self.bearer = Self.bearer(headers, verifier, now)
    }

    /// The refresh token that came along in a sound cookie.
    package var refreshToken: RefreshToken? {
        try? cookie?.get().refreshToken
    }

    /// A name that comes twice was tossed in by a sibling host or by script. Whoever it was cannot make a value that
    /// verifies, unless with a session of their own: then both are refused.
    private static func cookie(
        _ values: [[UInt8]], _ verifier: TokenVerifier, _ now: Instant
    ) -> Result<SessionTokens.Checked, TokenFault>? {
        guard !values.isEmpty else { return nil }
        guard values.count <= maximumCookies else {
            return .failure(.malformed("the session cookie came \(values.count) times"))
        }
        let checked = values.map { value in
            Result { () throws(TokenFault) in try verifier.verify(cookie: value, at: now) }
        }
        guard checked.count > 1 else { return checked[0] }
        let sound = checked.filter { (try? $0.get()) != nil }
        return sound.count == 1 ? sound[0] : .failure(.malformed("the session cookie came more than once"))
    }

    /// RFC 6750 section 2.1. Other schemes are somebody else's.
    private static func bearer(
        _ headers: HTTPFields, _ verifier: TokenVerifier, _ now: Instant
    ) -> Result<VerifiedAccess, TokenFault>? {
        guard let value = headers.first(where: { $0.name == .authorization })?.value,
            value.prefix(6).lowercased() == "bearer"
        else { return nil }
        guard headers[fields: .authorization].count == 1, value.dropFirst(6).first == " " else {
            return .failure(.malformed("the Authorization header is not one bearer token"))
        }
        let token = Array(value.dropFirst(7).utf8)
        return Result { () throws(TokenFault) in try verifier.verify(bearer: token, at: now) }
    }
}
