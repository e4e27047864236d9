import Testing

@testable import CloakroomStores

@Suite struct NetworkAddressTests {
    @Test(
        "a network is an IPv4 address, or the /64 of an IPv6 address",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:c000:201", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ("2001:DB8:1:2::1%eth0", "2001:db8:1:2::/64"), ("::1", "::/64"),
            ("2001:db8:0001:0002::9", "2001:db8:1:2::/64"), ("unknown", "unknown"), ("", ""), ("192.0.2", "192.0.2"),
        ])
    func network(_ address: String, _ expected: String) {
        #expect(NetworkAddress(of: address).rawValue == expected)
    }

    @Test(
        "the networks around an address are those that a provider gives to one customer",
        arguments: [
            ("192.0.2.1", ["192.0.2.1", "192.0.2.0/24"]),
            (
                "2001:db8:1234:5678::1",
                ["2001:db8:1234:5678::/64", "2001:db8:1234:5600::/56", "2001:db8:1234::/48", "2001:db8::/32"]
            ), ("unknown", ["unknown"]),
        ])
    func aggregates(_ address: String, _ expected: [String]) {
        #expect(NetworkAddress(of: address).aggregates.map(\.name) == expected)
    }
}
