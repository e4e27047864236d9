import NIOCore

/// The host names under which the private listener serves data that a page must not read.
///
/// A page of `http://evil.test:8081` can change the address of its own name (DNS rebinding). Its requests then reach
/// a port of the browser's own machine, and count as requests to the page's own origin: no CORS applies, and the
/// browser sends no `Origin` or `Sec-Fetch-Site`, because the page has no TLS. Only the Host header distinguishes
/// such a request from a scraper's.
struct PrivateHosts: Sendable {
    /// The server's own names, in lower case.
    private let own: Set<String>

    /// - Parameter own: the names in the public URL and in the private listener's address.
    init(own: [String?]) {
        self.own = Set(own.compactMap { $0?.lowercased() })
    }

    /// Whether no foreign page can have this authority: an IP address, a name of this server, or one that public DNS
    /// does not resolve.
    /// - Parameter authority: nil without a Host header, which every browser sends.
    func contains(_ authority: String?) -> Bool {
        guard let authority else { return true }
        guard let host = Self.host(of: authority.lowercased()) else { return false }
        return own.contains(host) || Self.isAddress(host) || Self.isLocalName(host)
    }

    /// Without port, and without the dot that may end a name.
    /// - Returns: nil where something else than a port follows the host.
    private static func host(of authority: String) -> String? {
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            let host = authority[authority.index(after: authority.startIndex)..<end]
            return isPort(authority[authority.index(after: end)...]) ? String(host) : nil
        }
        let host = authority.prefix { $0 != ":" }
        guard isPort(authority[host.endIndex...]) else { return nil }
        return String(host.hasSuffix(".") ? host.dropLast() : host)
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || text.hasPrefix(":") && text.dropFirst().allSatisfy { $0.isASCII && $0.isNumber }
    }

    private static func isAddress(_ host: String) -> Bool {
        (try? SocketAddress(ipAddress: host, port: 0)) != nil
    }

    /// Domains that public DNS never delegates (RFC 6761, RFC 8375, ICANN's `internal`, and the default of Kubernetes).
    /// `local` as a whole is not among them: every device of a network may give itself a name there (RFC 6762).
    private static let localDomains = [".localhost", ".internal", ".home.arpa", ".svc.cluster.local"]

    /// Whether the name has one label, like that of a container, a service or a machine in the same network, or a
    /// local top-level domain.
    private static func isLocalName(_ host: String) -> Bool {
        !host.isEmpty && (!host.contains(".") || localDomains.contains { host.hasSuffix($0) })
    }
}
