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
        for scheme in ["http", "https"] where text.utf8.starts(with: "\(scheme)://".utf8) {
            self.init(scheme: scheme, authority: text.utf8.dropFirst(scheme.utf8.count + 3))
            return
        }
        return nil
    }

    /// Parses `host[:port]`, with nothing after it, byte by byte for speed: without a public URL, this runs on the Host
    /// header of every request.
    package init?(scheme: String, authority: Substring.UTF8View) {
        var host = authority
        var port: Int?
        if let colon = host.lastIndex(of: UInt8(ascii: ":")), !host[colon...].contains(UInt8(ascii: "]")) {
            let digits = host[host.index(after: colon)...]
            guard digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), digits.count <= 5,
                let number = Int(Substring(digits)), 1...65535 ~= number
            else { return nil }
            port = number
            host = host[..<colon]
        }
        guard Self.isHost(host) else { return nil }
        self.scheme = scheme
        self.host = String(Substring(host))
        self.port = port == (scheme == "https" ? 443 : 80) ? nil : port
    }

    /// Whether browsers resolve this host to the local machine: `localhost`, `*.localhost`, `127.0.0.1`, `[::1]`.
    public var isLoopback: Bool {
        host == "localhost" || host.hasSuffix(".localhost") || host == "127.0.0.1" || host == "[::1]"
    }

    /// Whether the host is an IP address. The URL standard reads a name with a number at its end as an IPv4 address.
    package var isAddress: Bool {
        guard let last = host.split(separator: ".").last, host.first != "[" else { return true }
        return last.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } || last.hasPrefix("0x")
    }

    /// Whether this authority (`host[:port]`) is the origin's.
    package func isReached(by authority: String) -> Bool {
        WebOrigin(scheme: scheme, authority: authority.lowercased().utf8[...]) == self
    }

    /// The origin as browsers send it.
    public var description: String { "\(scheme)://\(authority)" }

    /// Host and port as browsers send them in `Host`: without the default port of the scheme.
    package var authority: String { host + (port.map { ":\($0)" } ?? "") }

    private static func isHost(_ host: Substring.UTF8View) -> Bool {
        guard host.first != UInt8(ascii: "[") else {
            return host.last == UInt8(ascii: "]") && host.count > 3
                && host.dropFirst().dropLast().allSatisfy { isHexadecimal($0) || $0 == UInt8(ascii: ":") }
        }
        var lengthOfLabel = 0
        for byte in host {
            if byte == UInt8(ascii: ".") {
                guard lengthOfLabel > 0 else { return false }
                lengthOfLabel = 0
            } else {
                guard isLabelCharacter(byte), lengthOfLabel < 63 else { return false }
                lengthOfLabel += 1
            }
        }
        return lengthOfLabel > 0 && host.count <= 253
    }

    /// Whether the bytes are one label of a host name, without a dot.
    static func isLabel(_ bytes: Substring.UTF8View) -> Bool {
        1...63 ~= bytes.count && bytes.allSatisfy(isLabelCharacter)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
    }

    private static func isLabelCharacter(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}
