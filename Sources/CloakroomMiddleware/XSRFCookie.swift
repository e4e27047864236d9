package import CloakroomCore
package import CloakroomTokens
package import HTTPTypes

/// The script-readable `XSRF-TOKEN` cookie, which Angular and axios send back as `X-XSRF-TOKEN` by themselves. Off by
/// default: only browsers from before 2020, which do not send the origin of a request, need it
/// (`docs/cross-site-requests.md`).
///
/// The value is a MAC over the session's id (OWASP CSRF cheat sheet, signed double submit), so that cookie tossing by a
/// sibling host has no effect.
package struct XSRFCookie: Sendable {
    package static let name = "XSRF-TOKEN"
    package static let header = HTTPField.Name.known("X-XSRF-TOKEN")

    private let session: SessionCookie
    private let keys: LiveKeys<IssuerKeys>
    private let now: @Sendable () -> Instant

    /// - Parameter session: the session cookie; the token must belong to its session.
    package init(of session: SessionCookie, keys: LiveKeys<IssuerKeys>, now: @escaping @Sendable () -> Instant) {
        self.session = session
        self.keys = keys
        self.now = now
    }

    /// The `Set-Cookie` for a new session.
    package func setting(for id: SessionID, _ headers: HTTPFields) -> String {
        text(Base64URL.encode(keys.current.refreshKey(at: now()).xsrfToken(for: id)), headers)
    }

    /// The `Set-Cookie` of a logout.
    package func expiring(for headers: HTTPFields) -> String {
        text("", headers) + "; Max-Age=0"
    }

    private func text(_ value: String, _ headers: HTTPFields) -> String {
        let secure = session.isSecure(for: headers) ? " Secure;" : ""
        return "\(Self.name)=\(value); Path=/;\(secure) SameSite=\(session.sameSite.rawValue)"
    }

    /// Whether the request's header proves that our own page sent it. Without a session it proves nothing, and a login
    /// must not fail because of it.
    package func evidence(in headers: HTTPFields) -> OriginPolicy.XSRFEvidence {
        evidence(values: headers[values: Self.header], cookies: session.values(in: headers))
    }

    /// - Parameters:
    ///   - values: the values of every `X-XSRF-TOKEN` header.
    ///   - cookies: the values of every session cookie.
    package func evidence(values: [String], cookies: [[UInt8]]) -> OriginPolicy.XSRFEvidence {
        let keys = keys.current
        let sessions = cookies.compactMap { try? SessionTokens.split($0).refresh }
            .compactMap { try? keys.read(refreshToken: $0.bytes.bytes).session }
        // An unreadable cookie is not a session: it must not prevent login or logout.
        guard !values.isEmpty, !sessions.isEmpty else { return .absent }
        guard values.count == 1, sessions.count == 1, let shown = Base64URL.decode(values[0]) else { return .wrong }
        let isRight = keys.refresh.contains { entry in
            constantTimeEqual(shown, entry.key.xsrfToken(for: sessions[0]))
        }
        return isRight ? .right : .wrong
    }
}
