/// Where a backend listens.
package struct UpstreamAddress: Hashable, Sendable, CustomStringConvertible {
    package enum Socket: Hashable, Sendable {
        case network(host: String, port: Int)
        case unix(path: String)
    }

    package let socket: Socket
    package let isTLS: Bool

    /// - Parameter text: `http://HOST[:PORT]`, `https://HOST[:PORT]` or `unix:PATH`, without a path; nil for anything
    ///   else.
    package init?(parsing text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            // The longest path that fits into a `sockaddr_un`.
            guard path.hasPrefix("/"), path.utf8.count <= 107 else { return nil }
            (socket, isTLS) = (.unix(path: path), false)
            return
        }
        guard let scheme = ["http", "https"].first(where: { text.hasPrefix("\($0)://") }) else { return nil }
        var authority = text.dropFirst(scheme.count + 3)
        if authority.hasSuffix("/") { authority.removeLast() }
        guard let (host, port) = Self.split(authority, defaultPort: scheme == "https" ? 443 : 80) else { return nil }
        (socket, isTLS) = (.network(host: host, port: port), scheme == "https")
    }

    private static func split(_ authority: Substring, defaultPort: Int) -> (host: String, port: Int)? {
        var host = authority
        var port = defaultPort
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            guard let number = Int(authority[authority.index(after: colon)...]), 1...65535 ~= number else { return nil }
            port = number
            host = authority[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        let isGood =
            !host.isEmpty
            && host.utf8.allSatisfy { byte in
                0x21...0x7E ~= byte && !"/?#@[]".utf8.contains(byte)
            }
        return isGood ? (String(host), port) : nil
    }

    package var description: String {
        switch socket {
        case .network(let host, let port):
            "\(isTLS ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// The backends of a route. Those that are healthy share the requests.
package struct UpstreamGroup: Hashable, Sendable {
    package let addresses: [UpstreamAddress]
    /// The path that is asked for health; nil for none: a failed connection alone counts.
    package let healthPath: String?

    package init(_ addresses: [UpstreamAddress], healthPath: String? = nil) {
        self.addresses = addresses
        self.healthPath = healthPath
    }
}
