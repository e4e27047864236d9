/// A network that a client belongs to, as a key of limits. One customer of a provider can use every address of an IPv6 /64,
/// and many providers give a customer a /56 or a /48, so a limit on each address would not stop that customer.
package struct ClientNetwork: Hashable, Sendable {
    /// The first bits of the address, left-aligned.
    private let bits: UInt64
    private let length: UInt8
    private let isIPv4: Bool

    private init(_ bits: UInt64, length: UInt8, isIPv4: Bool) {
        self.bits = length == 0 ? 0 : bits & (UInt64.max << (64 - UInt64(length)))
        self.length = length
        self.isIPv4 = isIPv4
    }

    /// The networks of an address, narrowest first: an IPv4 address and its /24; the /64, /56 and /48 of an IPv6 address. A
    /// text that is no address gives one network, which is the same for all of them.
    package static func all(of address: String) -> [ClientNetwork] {
        let bytes = AddressRange.bytes(String(address.prefix { $0 != "%" })) ?? []
        let bits = bytes.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (56 - 8 * $1.offset) }
        let lengths: [UInt8] =
            switch bytes.count {
            case 4: [32, 24]
            case 16: [64, 56, 48]
            default: [0]
            }
        return lengths.map { ClientNetwork(bits, length: $0, isIPv4: bytes.count == 4) }
    }
}
