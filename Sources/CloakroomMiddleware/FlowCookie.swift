package import CloakroomCore
import CloakroomTokens
package import HTTPTypes

/// The cookie by which a host recognises the browser that started a hand-over: 256 random bits that no other browser
/// has (`docs/several-hosts.md`).
///
/// Browsers send it with a navigation that comes back from the login host, also if another site started that, so it is
/// always `SameSite=Lax`.
package struct FlowCookie: Sendable {
    private let cookie: SessionCookie
    /// The time for a login at the login host.
    private static let age = 600
    private static let size = 32

    /// - Parameter session: the session cookie, whose name and prefix it shares.
    package init(of session: SessionCookie) {
        cookie = SessionCookie(
            name: "\(session.name)-flow", sameSite: .lax, isLoopbackDevelopment: session.isLoopbackDevelopment)
    }

    /// The names that the cookie may have, for a gateway that keeps it from the backend.
    package var names: [String] { cookie.names }

    /// The secret in the request; nil unless it has exactly one.
    package func secret(in headers: HTTPFields) -> Secret? {
        let values = cookie.values(in: headers)
        guard values.count == 1, let bytes = Base64URL.decode(values[0]), bytes.count == Self.size else { return nil }
        return Secret(bytes)
    }

    /// The `Set-Cookie` with a secret.
    package func setting(_ secret: Secret, for headers: HTTPFields) -> String {
        cookie.text(Base64URL.encode(secret.bytes), headers[.userAgent] ?? "") + "; Max-Age=\(Self.age)"
    }

    /// Makes a secret.
    package static func secret(_ random: (_ count: Int) -> [UInt8]) -> Secret { Secret(random(size)) }
}
