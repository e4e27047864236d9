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
    public static let defaultName = "__Host-Http-session"

    /// What it is called; two apps on one host need two names.
    package let name: String
    package let sameSite: SameSite
    /// Whether this server is reached over plain HTTP on the machine itself.
    package let isLoopbackDevelopment: Bool
    /// WebKit refuses Secure cookies on `http://localhost`. Used there alone.
    private let developmentName: String
    /// Browsers keep no cookie longer than 400 days.
    private static let longestAge: Int64 = 400 * 86400

    /// - Parameters:
    ///   - name: with a `__Host-` prefix.
    ///   - isLoopbackDevelopment: whether WebKit may get the plain cookie.
    public init(
        name: String = defaultName, sameSite: SameSite = .lax, isLoopbackDevelopment: Bool = false
    ) {
        self.name = name
        self.sameSite = sameSite
        self.isLoopbackDevelopment = isLoopbackDevelopment
        let bare = ["__Host-Http-", "__Host-"].first(where: name.hasPrefix).map { name.dropFirst($0.count) }
        developmentName = "cloakroom-\(bare ?? name[...])"
    }

    /// What the cookie is called in loopback development, for a browser that keeps no Secure cookie there.
    package var plainName: String { developmentName }

    /// Whether a cookie may have this name: a prefix that browsers enforce, and nothing that ends a cookie's name.
    public static func isName(_ text: String) -> Bool {
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.".utf8)
        return text.hasPrefix("__Host-") && 8...64 ~= text.utf8.count && text.utf8.allSatisfy(allowed.contains)
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
        name(for: headers) == name
    }

    private func name(for headers: HTTPFields) -> String {
        isLoopbackDevelopment ? name(for: headers[.userAgent] ?? "") : name
    }

    private func name(for userAgent: String) -> String {
        isLoopbackDevelopment && Self.isWebKit(userAgent) ? developmentName : name
    }

    private static func isWebKit(_ userAgent: String) -> Bool {
        userAgent.containsASCII("AppleWebKit/") && !userAgent.containsASCII("Chrome/")
            && !userAgent.containsASCII("Chromium/")
    }
}
