/// A front end that may send requests with credentials from another origin: one origin, or all hosts one label below a
/// domain.
///
/// ```swift
/// OriginPattern(parsing: "https://www.example.com")
/// OriginPattern(parsing: "https://*.preview.example.com")
/// OriginPattern(parsing: "capacitor://localhost")
/// ```
public struct OriginPattern: Hashable, Sendable, CustomStringConvertible {
    /// The text before the label: the whole origin, if there is no wildcard.
    private let head: String
    /// The text after the label, which begins with its dot; nil without a wildcard.
    private let tail: String?

    /// Parses an origin as browsers send it, or `https://*.` and a domain that belongs to one owner.
    ///
    /// nil for anything else: for `null`, for a wildcard over HTTP unless it is below `localhost`, and for a wildcard
    /// below a domain in which anybody can get a name, such as `com` or `github.io` (`SharedDomains`).
    public init?(parsing text: String) {
        if let origin = WebOrigin(parsing: text) {
            self.init(head: origin.description, tail: nil)
        } else if Self.isAppOrigin(text) {
            self.init(head: text, tail: nil)
        } else {
            self.init(wildcard: text)
        }
    }

    private init?(wildcard text: String) {
        for scheme in ["http", "https"] where text.utf8.starts(with: "\(scheme)://*.".utf8) {
            let authority = text.utf8.dropFirst(scheme.utf8.count + 5)
            guard let domain = WebOrigin(scheme: scheme, authority: authority), !domain.isAddress else { return nil }
            // A network attacker answers for every host over HTTP, and so gets the rights of each name below the domain.
            guard domain.isLoopback || scheme == "https" && !SharedDomains.contain(domain.host) else { return nil }
            self.init(head: "\(scheme)://", tail: ".\(domain.host)" + (domain.port.map { ":\($0)" } ?? ""))
            return
        }
        return nil
    }

    private init(head: String, tail: String?) {
        self.head = head
        self.tail = tail
    }

    /// Schemes under which the web views of apps load pages. No page of the web has such an origin.
    private static let appSchemes = ["capacitor", "ionic", "tauri"]

    private static func isAppOrigin(_ text: String) -> Bool {
        appSchemes.contains { scheme in
            guard text.utf8.starts(with: "\(scheme)://".utf8) else { return false }
            let host = text.utf8.dropFirst(scheme.utf8.count + 3)
            return !host.contains(UInt8(ascii: ":")) && WebOrigin(scheme: "https", authority: host) != nil
        }
    }

    /// Whether the value of an `Origin` header is one of these origins, byte for byte.
    package func matches(_ origin: String) -> Bool {
        guard let tail else { return origin.utf8.elementsEqual(head.utf8) }
        let bytes = origin.utf8
        guard bytes.count > head.utf8.count + tail.utf8.count, bytes.starts(with: head.utf8),
            bytes.suffix(tail.utf8.count).elementsEqual(tail.utf8)
        else { return false }
        return WebOrigin.isLabel(bytes.dropFirst(head.utf8.count).dropLast(tail.utf8.count))
    }

    /// The text that `init(parsing:)` reads as this pattern.
    public var description: String { tail.map { "\(head)*\($0)" } ?? head }
}
