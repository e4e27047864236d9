import Foundation

/// The peers whose forwarded headers the server trusts; none by default (CVE-2026-40575, CVE-2026-76835).
public struct TrustedProxies: Hashable, Sendable {
    package let ranges: [AddressRange]

    /// Trusts no peer.
    public static let none = TrustedProxies([])

    /// The loopback addresses.
    package static let loopback = TrustedProxies(
        ["127.0.0.0/8", "::1"].compactMap { AddressRange(parsing: $0) })

    /// Trusts the peers in these ranges.
    public init(_ ranges: [AddressRange]) {
        self.ranges = ranges
    }

    /// Stands for the address of a peer on a Unix socket: a gateway in this process, or a proxy that the permissions of
    /// the socket admit.
    package static let unixSocket = "unix"

    package func contains(_ address: String?) -> Bool {
        if address == Self.unixSocket { return true }
        guard let bytes = address.flatMap(AddressRange.bytes) else { return false }
        return ranges.contains { $0.contains(bytes) }
    }

    /// The address of the client behind trusted proxies: the rightmost in the chain that is not one of them.
    /// - Parameter forwardedFor: the values of `X-Forwarded-For`, each a list.
    package func client(peer: String?, forwardedFor: [String]) -> String {
        var client = peer ?? "unknown"
        guard contains(peer) else { return client }
        for hop in forwardedFor.joined(separator: ",").split(separator: ",").reversed() {
            let address = Self.bare(hop.trimmingCharacters(in: .whitespaces))
            guard AddressRange.bytes(address) != nil else { break }
            client = address
            guard contains(address) else { break }
        }
        return client
    }

    /// Without port and brackets, which some proxies write: `192.0.2.1:4711`, `[2001:db8::1]:4711`, `[2001:db8::1]`.
    private static func bare(_ hop: String) -> String {
        if hop.hasPrefix("[") { return String(hop.dropFirst().prefix { $0 != "]" }) }
        return hop.count { $0 == ":" } == 1 ? String(hop.prefix { $0 != ":" }) : hop
    }
}

/// One address, or a range of them in CIDR notation.
public struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    private let network: [UInt8]
    private let prefixLength: Int

    /// - Parameter text: such as `127.0.0.1`, `10.0.0.0/8`, `::1`, `2001:db8::/32`; nil for anything else.
    public init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard 1...2 ~= parts.count, let bytes = Self.bytes(String(parts[0])) else { return nil }
        let longest = bytes.count * 8
        guard let length = parts.count == 2 ? Int(parts[1]) : longest, 0...longest ~= length else { return nil }
        network = bytes
        prefixLength = length
    }

    /// The range in CIDR notation; a single address without the prefix length.
    public var description: String {
        let family = network.count == 4 ? AF_INET : AF_INET6
        let address = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            inet_ntop(family, network, buffer.baseAddress, socklen_t(buffer.count)).map { String(cString: $0) } ?? ""
        }
        return prefixLength == network.count * 8 ? address : "\(address)/\(prefixLength)"
    }

    /// Whether the range is at most as wide as the widest private network, `10.0.0.0/8` or `fc00::/7`. A wider one, such
    /// as `0.0.0.0/0`, has every client of the internet among the proxies: each could forge its address.
    package var isOfOneNetwork: Bool { prefixLength >= (network.count == 4 ? 8 : 7) }

    func contains(_ address: [UInt8]) -> Bool {
        guard address.count == network.count else { return false }
        return (0..<prefixLength).allSatisfy { bit in
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            return address[bit / 8] & mask == network[bit / 8] & mask
        }
    }

    /// 4 or 16 bytes. An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) gives the 4 bytes of the IPv4 address.
    static func bytes(_ text: String) -> [UInt8]? {
        var four = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &four) == 1 { return four }
        var bytes = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
        let isWrapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10...11].elementsEqual([0xFF, 0xFF])
        return isWrapped ? Array(bytes.suffix(4)) : bytes
    }
}
