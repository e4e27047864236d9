import CloakroomCore
import CloakroomMiddleware

extension ValueSyntax where Value == WebOrigin {
    /// Accepts upper case and one trailing slash, because people paste addresses.
    static var origin: Self {
        .init(
            placeholder: "url", expected: "an origin such as `https://app.example.com`",
            parse: { WebOrigin(parsing: ($0.hasSuffix("/") ? String($0.dropLast()) : $0).lowercased()) },
            write: \.description)
    }
}

extension ValueSyntax where Value == OriginPattern {
    /// Accepts upper case and one trailing slash, as `origin` does.
    static var originPattern: Self {
        .init(
            placeholder: "url", expected: "an origin such as `https://www.example.com`",
            parse: { OriginPattern(parsing: ($0.hasSuffix("/") ? String($0.dropLast()) : $0).lowercased()) },
            write: \.description)
    }
}

extension ValueSyntax where Value == AddressRange {
    static var addressRange: Self {
        .init(
            placeholder: "cidr", expected: "an address or a CIDR range",
            parse: { text in AddressRange(parsing: text).flatMap { $0.isOfOneNetwork ? $0 : nil } },
            write: \.description)
    }
}

extension ValueSyntax where Value == String {
    /// A path without query and fragment: it is compared byte for byte.
    static var path: Self {
        .init(
            placeholder: "path", expected: "a path such as `/sw.js`, without query",
            parse: { path in
                let isPath = path.hasPrefix("/") && path.utf8.allSatisfy { 0x21...0x7E ~= $0 }
                return isPath && !path.contains { "?#".contains($0) } ? path : nil
            }, write: { $0 })
    }

    /// `none` is no name: the documents show it for an empty list.
    static var claimName: Self {
        .init(
            placeholder: "name", expected: "the name of a claim",
            parse: { $0 != "none" && Claims.isName($0) ? $0 : nil }, write: { $0 })
    }

    static var cookieName: Self {
        .init(
            placeholder: "name",
            expected: """
                a name that begins with `__Host-` (browsers then take the cookie from this host alone, over HTTPS alone) \
                and has at most 64 letters, digits, hyphens, underscores and dots
                """,
            parse: { SessionCookie.isName($0) ? $0 : nil }, write: { $0 })
    }
}

extension ValueSyntax where Value == PrivateListener.Address {
    static var listener: Self {
        .init(
            placeholder: "host:port|unix:path", expected: "`HOST:PORT` such as `127.0.0.1:8081`, or `unix:PATH`",
            parse: { PrivateListener.Address(parsing: $0) }, write: \.description)
    }
}
