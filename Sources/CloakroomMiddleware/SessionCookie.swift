import CloakroomCore
package import CloakroomTokens
package import HTTPTypes

/// The session cookie: its name, its attributes, and how it is written and found (`docs/cookies.md`).
public struct SessionCookie: Hashable, Sendable {
    /// The `SameSite` attribute; `None` is not offered.
    public enum SameSite: String, Hashable, Sendable, CaseIterable {
        case lax = "Lax"
        case strict = "Strict"
    }

    /// Browsers that know the prefix let only a Secure response header set such a cookie, HttpOnly, for `/` and this very
    /// host; others still enforce the `__Host-` it begins with.
    public static let name = "__Host-Http-session"
    /// WebKit refuses Secure cookies on `http://localhost`. Used there alone.
    package static let developmentName = "session"

    package let sameSite: SameSite
    /// Whether this server is reached over plain HTTP on the machine itself.
    package let isLoopbackDevelopment: Bool
    /// Browsers keep no cookie longer than 400 days.
    private static let longestAge: Int64 = 400 * 86400

    /// - Parameter isLoopbackDevelopment: whether WebKit may get the plain cookie.
    public init(sameSite: SameSite = .lax, isLoopbackDevelopment: Bool = false) {
        self.sameSite = sameSite
        self.isLoopbackDevelopment = isLoopbackDevelopment
    }

    /// Every value of our cookie in the request.
    package func values(in headers: HTTPFields) -> [[UInt8]] {
        CookieHeader.values(named: name(for: headers), in: headers)
    }

    /// Every value of our cookie in one `Cookie` header of a client that calls itself `userAgent`.
    package func values(in header: String, userAgent: String) -> [[UInt8]] {
        CookieHeader.values(named: name(for: userAgent), in: header)
    }

    /// The `Set-Cookie` that hands over the tokens; nil where they are delivered otherwise.
    package func setting(_ tokens: IssuedTokens, for headers: HTTPFields) -> String? {
        switch tokens.delivery {
        case .cookie:
            return set(SessionTokens.join(access: tokens.access.token, refresh: tokens.refresh), tokens, headers)
        case .hybrid:
            return set(SessionTokens.join(access: nil, refresh: tokens.refresh), tokens, headers)
        case .body:
            return nil
        }
    }

    /// The `Set-Cookie` of a logout.
    package func expiring(for headers: HTTPFields) -> String {
        text("", for: headers) + "; Max-Age=0"
    }

    private func set(_ value: String, _ tokens: IssuedTokens, _ headers: HTTPFields) -> String {
        let age = tokens.maximumAge.map { "; Max-Age=\(min(Self.longestAge, max(1, $0.wholeSeconds)))" }
        return text(value, for: headers) + (age ?? "")
    }

    private func text(_ value: String, for headers: HTTPFields) -> String {
        let name = name(for: headers)
        let secure = isSecure(for: headers) ? " Secure;" : ""
        return "\(name)=\(value); Path=/;\(secure) HttpOnly; SameSite=\(sameSite.rawValue)"
    }

    func isSecure(for headers: HTTPFields) -> Bool {
        name(for: headers) != Self.developmentName
    }

    private func name(for headers: HTTPFields) -> String {
        isLoopbackDevelopment ? name(for: headers[.userAgent] ?? "") : Self.name
    }

    private func name(for userAgent: String) -> String {
        isLoopbackDevelopment && Self.isWebKit(userAgent) ? Self.developmentName : Self.name
    }

    private static func isWebKit(_ userAgent: String) -> Bool {
        userAgent.containsASCII("AppleWebKit/") && !userAgent.containsASCII("Chrome/")
            && !userAgent.containsASCII("Chromium/")
    }
}
