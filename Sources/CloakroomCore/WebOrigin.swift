/// A web origin, scheme, host and port, in the one form in which browsers send it (RFC 6454 section 6.2).
public struct WebOrigin: Hashable, Sendable, CustomStringConvertible {
    /// `http` or `https`.
    public let scheme: String
    /// Lower case; an IPv6 address keeps its brackets.
    public let host: String
    /// nil for the scheme's default port.
    public let port: Int?

    /// Parses `scheme://host[:port]`, with nothing after it. nil for anything else, `null` above all.
    public init?(parsing text: String) {
        guard let separator = text.firstRange(of: "://") else { return nil }
        let scheme = String(text[..<separator.lowerBound])
        guard scheme == "http" || scheme == "https" else { return nil }
        var host = text[separator.upperBound...]
        var port: Int?
        if let colon = host.lastIndex(of: ":"), !host[colon...].contains("]") {
            let digits = host[host.index(after: colon)...]
            guard digits.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), digits.utf8.count <= 5,
                let number = Int(digits), 1...65535 ~= number
            else { return nil }
            port = number
            host = host[..<colon]
        }
        guard Self.isHost(host) else { return nil }
        self.scheme = scheme
        self.host = String(host)
        self.port = port == (scheme == "https" ? 443 : 80) ? nil : port
    }

    /// Whether browsers keep this host on the machine itself: `localhost`, `*.localhost`, `127.0.0.1`, `[::1]`.
    public var isLoopback: Bool {
        host == "localhost" || host.hasSuffix(".localhost") || host == "127.0.0.1" || host == "[::1]"
    }

    /// Whether this authority (`host[:port]`) is the origin's.
    package func isReached(by authority: String) -> Bool {
        WebOrigin(parsing: "\(scheme)://\(authority.lowercased())") == self
    }

    /// The origin as browsers send it.
    public var description: String {
        "\(scheme)://\(host)" + (port.map { ":\($0)" } ?? "")
    }

    private static func isHost(_ host: Substring) -> Bool {
        if host.first == "[" {
            return host.last == "]" && host.count > 3
                && host.dropFirst().dropLast().utf8.allSatisfy { isHexadecimal($0) || $0 == UInt8(ascii: ":") }
        }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        return !host.isEmpty && host.utf8.count <= 253
            && labels.allSatisfy { label in
                !label.isEmpty && label.utf8.count <= 63 && label.utf8.allSatisfy(isLabelCharacter)
            }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
    }

    private static func isLabelCharacter(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}
