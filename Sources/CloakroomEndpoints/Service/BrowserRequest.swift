import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomStores
import CloakroomTokens
import HTTPTypes
import Logging

/// The request of the browser for which a backend acts. The backend copies its headers, and our rules decide: otherwise
/// another site could log a browser in to an account of its choice (login CSRF) through the backend.
struct BrowserRequest: Sendable {
    let method: String
    let host: String
    let origin: String?
    let secFetchSite: String?
    let cookie: String?
    let device: Device

    /// The header by which the cookie's name and attributes are chosen.
    var headers: HTTPFields { [.userAgent: device.userAgent] }
}

extension Field where Value == BrowserRequest {
    static var browser: Self {
        let text: JSONValue = ["type": ["string", "null"]]
        let description = FieldDescription(
            name: "browser",
            schema: [
                "type": "object", "required": ["method", "host"],
                "properties": [
                    "method": ["type": "string"], "host": ["type": "string"], "origin": text, "sec_fetch_site": text,
                    "cookie": text, "user_agent": text, "ip": text,
                ],
            ],
            help:
                "The browser's request: its method, and its headers Host, Origin, Sec-Fetch-Site, Cookie and User-Agent as they came; the address of the browser for the list of sessions.",
            isRequired: true,
            example: [
                "method": "POST", "host": "app.example.com", "origin": "https://app.example.com",
                "sec_fetch_site": "same-origin", "cookie": "theme=dark", "user_agent": "Mozilla/5.0",
                "ip": "203.0.113.7",
            ])
        return Field(description) { values throws(Complaint) in try BrowserRequest(try values.object()) }
    }
}

extension BrowserRequest {
    private static let longestCookie = 32 * 1024

    fileprivate init(_ object: JSONObject) throws(Complaint) {
        guard let method = try Self.text("method", of: object) else { throw Complaint(field: "method", "is missing") }
        guard method.utf8.allSatisfy({ 0x41...0x5A ~= $0 || 0x61...0x7A ~= $0 || $0 == UInt8(ascii: "-") }) else {
            throw Complaint(field: "method", "must be a method such as POST")
        }
        // The origin policy lets both pass from every site, because they change nothing.
        guard !["HEAD", "OPTIONS"].contains(method.uppercased()) else {
            throw Complaint(field: "method", "must be the method of a login, not HEAD or OPTIONS")
        }
        guard let host = try Self.text("host", of: object) else { throw Complaint(field: "host", "is missing") }
        let address = try Self.text("ip", of: object)
        if let address, address.contains("/") || AddressRange(parsing: address) == nil {
            throw Complaint(field: "ip", "must be an IP address")
        }
        self.init(
            method: method, host: host, origin: try Self.text("origin", of: object),
            secFetchSite: try Self.text("sec_fetch_site", of: object),
            cookie: try Self.text("cookie", of: object, upTo: Self.longestCookie),
            device: Device(userAgent: try Self.text("user_agent", of: object) ?? "", address: address ?? "unknown"))
    }

    /// A header; nil if it is absent. Frameworks give an absent header as null or as an empty string.
    private static func text(
        _ name: String, of object: JSONObject, upTo maximum: Int = 4096
    ) throws(Complaint) -> String? {
        guard let value = object[name], value != .null, value != "" else { return nil }
        guard let text = value.stringValue, text.utf8.count <= maximum else {
            throw Complaint(field: name, "must be a string of at most \(maximum) bytes")
        }
        return text
    }
}

extension ServiceCall {
    /// Applies the rules for requests of browsers to the request for which the backend acts.
    /// - Throws: `Denial.misdirectedRequest` for a host that is not ours: the cookie would go to another site.
    ///   `.crossSiteRequest`.
    func check(_ browser: BrowserRequest) throws(Denial) {
        let policy = server.originPolicy
        do throws(Denial) {
            guard policy.isOurs(targetAuthority: browser.host) else { throw .misdirectedRequest }
            try policy.check(
                OriginPolicy.Request(
                    method: browser.method, host: browser.host, origin: browser.origin.map { [$0] } ?? [],
                    secFetchSite: browser.secFetchSite.map { [$0] } ?? [],
                    carriesOurCookie: !cookies(of: browser).isEmpty))
        } catch {
            log.warning(
                "a backend acted for a request of another host or origin, which was refused; see the settings publicURL, hosts and trustedOrigins",
                metadata: [
                    "host": "\(browser.host)", "origin": "\(browser.origin ?? "")",
                    "sec_fetch_site": "\(browser.secFetchSite ?? "")", "credential": "\(credential.id)",
                ])
            throw error
        }
    }

    /// The refresh token of the browser's session cookie, read from its refresh half alone.
    /// - Throws: `Denial.sessionMissing` without a cookie, and others for one that cannot be read.
    func refreshToken(of browser: BrowserRequest) async throws(Denial) -> RefreshToken {
        let authorizer = server.authorizer
        let credentials = try await authorizer.withKnownKeys(
            RequestCredentials(
                cookies: cookies(of: browser), authorization: [], to: host(of: browser),
                verifier: authorizer.verifier, at: authorizer.now()))
        guard let half = credentials.refresh else { throw .sessionMissing }
        return try sessions.read(refreshToken: half.mapError(\.denial).get().bytes.bytes, at: host(of: browser))
    }

    /// - Throws: `Denial.loginHostOnly`: the cookie of a session that began at another host would open that host alone, and
    ///   no logout at the others would end it.
    func requireLoginHost(of browser: BrowserRequest) throws(Denial) {
        guard host(of: browser) == .login else { throw .loginHostOnly }
    }

    private func host(of browser: BrowserRequest) -> SessionHost {
        server.originPolicy.sessionHost(forHost: browser.host)
    }

    private func cookies(of browser: BrowserRequest) -> [[UInt8]] {
        browser.cookie.map { server.authorizer.cookie.values(in: $0, userAgent: browser.device.userAgent) } ?? []
    }
}
