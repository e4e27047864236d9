import CloakroomCore
package import CloakroomTokens
package import HTTPTypes

/// The session cookie: its name, its attributes, and how to write and read it (`docs/cookies.md`).
public struct SessionCookie: Hashable, Sendable {
    /// The `SameSite` attribute; Cloakroom does not support `None`.
    public enum SameSite: String, Hashable, Sendable, CaseIterable {
        case lax = "Lax"
        case strict = "Strict"
    }

    /// Browsers that know this prefix accept such a cookie only from a Secure response header, with HttpOnly and
    /// `Path=/`, and for this host only; other browsers still enforce `__Host-`.
    public static let defaultName = "__Host-Http-session"

    /// Two apps on one host need two names.
    package let name: String
    package let sameSite: SameSite
    /// Whether browsers reach this server over plain HTTP on loopback.
    package let isLoopbackDevelopment: Bool
    /// The name without prefix for `http://localhost`, where WebKit refuses Secure cookies. Used nowhere else.
    private let developmentName: String
    /// Browsers keep no cookie longer than 400 days.
    private static let longestAge: Int64 = 400 * 86400

    /// - Parameters:
    ///   - name: with a `__Host-` prefix.
    ///   - isLoopbackDevelopment: whether WebKit may get the plain cookie.
    package init(
        name: String = defaultName, sameSite: SameSite = .lax, isLoopbackDevelopment: Bool = false
    ) {
        self.name = name
        self.sameSite = sameSite
        self.isLoopbackDevelopment = isLoopbackDevelopment
        let bare = ["__Host-Http-", "__Host-"].first(where: name.hasPrefix).map { name.dropFirst($0.count) }
        developmentName = "cloakroom-\(bare ?? name[...])"
    }

    /// The cookie's name in loopback development, for a browser that accepts no Secure cookie there.
    package var plainName: String { developmentName }

    /// Whether the name has a prefix that browsers enforce, and no character that ends a cookie's name.
    package static func isName(_ text: String) -> Bool {
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

    /// Every value of our cookie in the bytes of one `Cookie` header.
    package func values(in header: UnsafeRawBufferPointer, userAgent: String) -> [[UInt8]] {
        CookieHeader.values(named: name(for: userAgent), in: header)
    }

    /// The names that the cookie may have, for a gateway that keeps it from the backend.
    package var names: [String] { isLoopbackDevelopment ? [name, developmentName] : [name] }

    /// The `Set-Cookie` with the tokens; nil if the client does not get them by cookie.
    package func setting(_ tokens: IssuedTokens, for headers: HTTPFields) -> String? {
        setting(tokens, userAgent: headers[.userAgent] ?? "")
    }

    /// As `setting(_:for:)`, for a client that calls itself `userAgent`.
    package func setting(_ tokens: IssuedTokens, userAgent: String) -> String? {
        switch tokens.delivery {
        case .cookie:
            return set(SessionTokens.join(access: tokens.access.token, refresh: tokens.refresh), tokens, userAgent)
        case .hybrid:
            return set(SessionTokens.join(access: nil, refresh: tokens.refresh), tokens, userAgent)
        case .body:
            return nil
        }
    }

    /// The `Set-Cookie` of a logout.
    package func expiring(for headers: HTTPFields) -> String {
        text("", headers[.userAgent] ?? "") + "; Max-Age=0"
    }

    /// The `Set-Cookie` that an app relays from the service API, with the attributes that the cookie must have.
    /// - Parameter maximumAge: in seconds.
    package func relaying(_ value: String, maximumAge: Int?, userAgent: String) -> String {
        text(value, userAgent) + (maximumAge.map { "; Max-Age=\($0)" } ?? "")
    }

    private func set(_ value: String, _ tokens: IssuedTokens, _ userAgent: String) -> String {
        let age = tokens.maximumAge.map { "; Max-Age=\(min(Self.longestAge, max(1, $0.wholeSeconds)))" }
        return text(value, userAgent) + (age ?? "")
    }

    func text(_ value: String, _ userAgent: String) -> String {
        let name = name(for: userAgent)
        let secure = name == self.name ? " Secure;" : ""
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
