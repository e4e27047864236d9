/// The network that a peer belongs to, for limits: an IPv4 address, or the /64 of an IPv6 address, which one customer
/// can fill with addresses at will.
package struct NetworkAddress: Hashable, Sendable {
    package let rawValue: String

    /// - Parameter address: as a socket prints it, such as `192.0.2.1`, `::ffff:192.0.2.1`, `2001:db8::1%eth0`.
    package init(of address: String) {
        let bare = address.prefix { $0 != "%" }.lowercased()
        if let separator = bare.lastIndex(of: ":"), bare[separator...].contains(".") {
            rawValue = String(bare[bare.index(after: separator)...])
        } else if bare.contains(":") {
            rawValue = Self.groups(bare).prefix(4).joined(separator: ":") + "::/64"
        } else {
            rawValue = bare
        }
    }

    private static func groups(_ address: String) -> [String] {
        let halves = address.split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
            .map { $0.split(separator: ":").map { group in String(group.drop { $0 == "0" }) } }
        let zeros = halves.count == 2 ? 8 - halves[0].count - halves[1].count : 0
        return halves[0] + Array(repeating: "", count: max(0, zeros)) + (halves.count == 2 ? halves[1] : [])
    }
}
