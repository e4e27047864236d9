import CloakroomCore
import CloakroomMiddleware
import HTTPTypes

/// The request headers that decide a check or a renewal. A header that is not listed here cannot change the response.
///
/// The event loop and the endpoint of the check read them with this type, so that both decide alike.
struct DecidingHeaders: Sendable {
    enum Name: Int, CaseIterable {
        case cookie, authorization, origin, secFetchSite, secFetchMode, upgrade, secWebSocketKey, serviceWorker
        case upgradeInsecureRequests, referer, xsrfToken, userAgent, accept, accessControlRequestMethod
        case xForwardedMethod, xOriginalMethod, xForwardedUri, xOriginalURI, xForwardedHost, xForwardedProto

        /// The name with the usual capitals, for documents and messages.
        var text: String {
            switch self {
            case .cookie: "Cookie"
            case .authorization: "Authorization"
            case .origin: "Origin"
            case .secFetchSite: "Sec-Fetch-Site"
            case .secFetchMode: "Sec-Fetch-Mode"
            case .upgrade: "Upgrade"
            case .secWebSocketKey: "Sec-WebSocket-Key"
            case .serviceWorker: "Service-Worker"
            case .upgradeInsecureRequests: "Upgrade-Insecure-Requests"
            case .referer: "Referer"
            case .xsrfToken: "X-XSRF-TOKEN"
            case .userAgent: "User-Agent"
            case .accept: "Accept"
            case .accessControlRequestMethod: "Access-Control-Request-Method"
            case .xForwardedMethod: "X-Forwarded-Method"
            case .xOriginalMethod: "X-Original-Method"
            case .xForwardedUri: "X-Forwarded-Uri"
            case .xOriginalURI: "X-Original-URI"
            case .xForwardedHost: "X-Forwarded-Host"
            case .xForwardedProto: "X-Forwarded-Proto"
            }
        }
    }

    private var first = [String?](repeating: nil, count: Name.allCases.count)
    /// The values of repeated headers, after the first.
    private var repeated: [(name: Name, value: String)] = []

    /// Reads the framework's headers.
    init(_ fields: HTTPFields) {
        for field in fields { take(field.name.canonicalName, field.value) }
    }

    /// Reads names in any case, with their values.
    init(_ headers: some Sequence<(name: String, value: String)>) {
        for (name, value) in headers { take(name, value) }
    }

    /// The first value; nil without the header.
    subscript(name: Name) -> String? { first[name.rawValue] }

    /// Every value, in the order of the request.
    func values(_ name: Name) -> [String] {
        guard let first = self[name] else { return [] }
        if repeated.isEmpty { return [first] }
        return [first] + repeated.filter { $0.name == name }.map(\.value)
    }

    /// Whether the header is absent, or each of its values is `value`.
    func hasNo(_ name: Name, but value: String) -> Bool {
        guard let first = self[name] else { return true }
        return first == value && repeated.allSatisfy { $0.name != name || $0.value == value }
    }

    /// The values of every session cookie.
    func cookies(named cookie: SessionCookie) -> [[UInt8]] {
        values(.cookie).flatMap { cookie.values(in: $0, userAgent: self[.userAgent] ?? "") }
    }

    private mutating func take(_ text: String, _ value: String) {
        guard let name = Self.name(of: text) else { return }
        if first[name.rawValue] == nil {
            first[name.rawValue] = value
        } else {
            repeated.append((name, value))
        }
    }

    private static let byLength: [[(lowercased: [UInt8], name: Name)]] = {
        var table: [[(lowercased: [UInt8], name: Name)]] = []
        for name in Name.allCases {
            let bytes = Array(name.text.lowercased().utf8)
            while table.count <= bytes.count { table.append([]) }
            table[bytes.count].append((bytes, name))
        }
        return table
    }()

    /// Looks a name up without copying it: a check has thirty headers, and there are twenty names here.
    private static func name(of text: String) -> Name? {
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.count < byLength.count else { return nil }
            return byLength[bytes.count].first { candidate in
                zip(candidate.lowercased, bytes).allSatisfy { lowercased, byte in
                    byte == lowercased || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte && byte | 0x20 == lowercased
                }
            }?.name
        }
    }
}

extension OriginPolicy.Request {
    /// Adds what the policy reads of a request that may change something.
    /// - Parameter cookies: the values of every session cookie.
    mutating func read(_ headers: DecidingHeaders, cookies: [[UInt8]], _ xsrf: XSRFCookie?) {
        carriesOurCookie = !cookies.isEmpty
        self.xsrf = xsrf?.evidence(values: headers.values(.xsrfToken), cookies: cookies) ?? .absent
        isLaunderedNavigation =
            headers[.secFetchMode] == "same-origin" && headers[.upgradeInsecureRequests] == "1"
        referer = headers[.referer]
    }
}
