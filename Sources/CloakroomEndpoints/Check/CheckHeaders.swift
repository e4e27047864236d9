import HTTPTypes

/// The request headers that a check rests on, and no others: a header that is not named here cannot change an answer.
///
/// Read in the same way on the event loop and in the endpoint, so that both come to the same answer.
struct CheckHeaders: Sendable {
    enum Name: Int, CaseIterable {
        case cookie, authorization, origin, secFetchSite, secFetchMode, upgrade, secWebSocketKey, serviceWorker
        case upgradeInsecureRequests, referer, xsrfToken, userAgent, accept, accessControlRequestMethod
        case xForwardedMethod, xOriginalMethod, xForwardedUri, xOriginalURI, xForwardedHost, xForwardedProto

        /// As it is written in documents.
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
    /// Values of headers that came before.
    private var repeated: [(name: Name, value: String)] = []

    /// From the framework's headers.
    init(_ fields: HTTPFields) {
        for field in fields { take(field.name.canonicalName, field.value) }
    }

    /// From names in any case, with their values.
    init(_ headers: some Sequence<(name: String, value: String)>) {
        for (name, value) in headers { take(name, value) }
    }

    /// The first value.
    subscript(name: Name) -> String? { first[name.rawValue] }

    /// Every value, in order.
    func values(_ name: Name) -> [String] {
        guard let first = self[name] else { return [] }
        return [first] + repeated.filter { $0.name == name }.map(\.value)
    }

    /// Whether this header has no other value.
    func hasNo(_ name: Name, but value: String) -> Bool {
        guard let first = self[name] else { return true }
        return first == value && repeated.allSatisfy { $0.name != name || $0.value == value }
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

    /// Without a copy of the name: there are thirty headers in a check and twenty names here.
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
