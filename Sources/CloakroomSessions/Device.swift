package import CloakroomStores

/// Where a request comes from, as the list of sessions shows it.
package struct Device: Hashable, Sendable {
    package let userAgent: String
    package let address: String

    /// The name that a client sends is cut to a length and to printable ASCII: it is shown on pages and in terminals.
    package init(userAgent: String, address: String) {
        let printable = userAgent.unicodeScalars.filter { $0.isASCII && $0.value >= 0x20 && $0.value != 0x7F }
        self.userAgent = String(String.UnicodeScalarView(printable.prefix(256)))
        self.address = address
    }

    package var network: NetworkAddress { NetworkAddress(of: address) }
}
