import Testing

@testable import CloakroomMiddleware

@Suite struct ClientNetworkTests {
    @Test(
        "which networks two addresses share, narrowest first",
        arguments: [
            ("192.0.2.1", "192.0.2.1", [true, true]), ("192.0.2.1", "192.0.2.9", [false, true]),
            ("192.0.2.1", "192.0.3.1", [false, false]), ("192.0.2.1", "::ffff:192.0.2.1", [true, true]),
            ("2001:db8:1:1::1", "2001:db8:1:1:f::2", [true, true, true]),
            ("2001:db8:1:1::1", "2001:db8:1:2::1", [false, true, true]),
            ("2001:db8:1:1::1", "2001:db8:1:ff01::1", [false, false, true]),
            ("2001:db8:1:1::1", "2001:db8:2:1::1", [false, false, false]),
            ("fe80::1%eth0", "fe80::2", [true, true, true]),
            ("unknown", "garbage", [true]), ("c000:200::", "192.0.2.0", [false, false]),
        ] as [(String, String, [Bool])])
    func shared(_ one: String, _ other: String, _ isShared: [Bool]) {
        #expect(zip(ClientNetwork.all(of: one), ClientNetwork.all(of: other)).map { $0 == $1 } == isShared)
    }
}
