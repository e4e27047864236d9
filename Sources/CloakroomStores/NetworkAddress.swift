import Foundation

/// The network of a peer, for rate limits: an IPv4 address, or the /64 of an IPv6 address, because one customer can
/// use every address of a /64.
public struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
    /// `192.0.2.1`, `2001:db8:1:2::/64`, or the argument in lower case if it is no address.
    public let rawValue: String
    private let bytes: [UInt8]

    /// - Parameter address: as a socket prints it, such as `192.0.2.1`, `::ffff:192.0.2.1`, `2001:db8::1%eth0`.
    package init(of address: String) {
        let bare = address.prefix { $0 != "%" }.lowercased()
        bytes = Self.bytes(bare) ?? []
        rawValue = bytes.isEmpty ? bare : Self.text(bytes, prefix: Self.ownPrefix(bytes))
    }

    /// The network as text.
    public var description: String { rawValue }

    /// The number of most recent networks that a store saves for each account.
    public static let rememberedPerSubject = 16

    /// A network that contains this one. Its members share `weight` times the limit of one network.
    package struct Aggregate: Hashable {
        package let name: String
        package let weight: Double
    }

    /// This network and those that contain it: a provider gives one customer a whole /48, with 65,536 networks in it,
    /// so a limit on each /64 alone would not stop that customer.
    package var aggregates: [Aggregate] {
        let prefixes: [(length: Int, weight: Double)] =
            switch bytes.count {
            case 4: [(32, 1), (24, 16)]
            case 16: [(64, 1), (56, 4), (48, 16), (32, 256)]
            default: []
            }
        guard !prefixes.isEmpty else { return [Aggregate(name: rawValue, weight: 1)] }
        return prefixes.map { Aggregate(name: Self.text(bytes, prefix: $0.length), weight: $0.weight) }
    }

    private static func ownPrefix(_ bytes: [UInt8]) -> Int {
        bytes.count == 4 ? 32 : 64
    }

    /// 4 or 16 bytes. An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) gives the 4 bytes of the IPv4 address.
    private static func bytes(_ text: String) -> [UInt8]? {
        var four = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &four) == 1 { return four }
        var sixteen = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, text, &sixteen) == 1 else { return nil }
        let isWrapped = sixteen.prefix(10).allSatisfy { $0 == 0 } && sixteen[10...11].elementsEqual([0xFF, 0xFF])
        return isWrapped ? Array(sixteen.suffix(4)) : sixteen
    }

    /// The first `prefix` bits, a multiple of eight, in the canonical spelling (RFC 5952); without the length for a
    /// whole IPv4 address.
    private static func text(_ bytes: [UInt8], prefix: Int) -> String {
        let masked = bytes.enumerated().map { $0.offset * 8 < prefix ? $0.element : 0 }
        var buffer = [CChar](repeating: 0, count: 64)
        _ = inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, masked, &buffer, socklen_t(buffer.count))
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return prefix == 32 && bytes.count == 4 ? text : "\(text)/\(prefix)"
    }
}
