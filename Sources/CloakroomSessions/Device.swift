package import CloakroomStores

/// The client of a request, as the list of sessions shows it: user agent and network address.
package struct Device: Hashable, Sendable {
    package let userAgent: String
    package let address: String

    /// Keeps the first 256 printable ASCII characters of `userAgent`. Pages and terminals show it, so control
    /// characters must not pass.
    package init(userAgent: String, address: String) {
        let printable = userAgent.unicodeScalars.filter { $0.isASCII && $0.value >= 0x20 && $0.value != 0x7F }
        self.userAgent = String(String.UnicodeScalarView(printable.prefix(256)))
        self.address = address
    }

    package var network: NetworkAddress { NetworkAddress(of: address) }
}
