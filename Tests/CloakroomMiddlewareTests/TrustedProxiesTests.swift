import Testing

@testable import CloakroomMiddleware

@Suite struct TrustedProxiesTests {
    private func proxies(_ ranges: String...) -> TrustedProxies {
        TrustedProxies(ranges.compactMap { AddressRange(parsing: $0) })
    }

    @Test(
        "an address is in a range or not",
        arguments: [
            ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.1", false),
            ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.8", false),
            ("192.0.2.128/25", "192.0.2.200", true), ("192.0.2.128/25", "192.0.2.100", false),
            ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false),
            ("2001:db8::/32", "2001:db8:1::5", true), ("2001:db8::/32", "2001:db9::1", false),
            ("127.0.0.1", "::ffff:127.0.0.1", true), ("::1", "::1", true), ("::1", "not an address", false),
        ])
    func contains(_ range: String, _ address: String, _ expected: Bool) {
        #expect(proxies(range).contains(address) == expected)
    }

    @Test(
        "a text that is not a range is refused",
        arguments: ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "::/129", "10.0.0.0/8/8", "localhost", "10.0.0.1/x"])
    func malformed(_ text: String) {
        #expect(AddressRange(parsing: text) == nil)
    }

    @Test(
        "a range is written in CIDR notation, an address alone without a length",
        arguments: [
            ("10.0.0.0/8", "10.0.0.0/8"), ("192.0.2.7", "192.0.2.7"), ("192.0.2.7/32", "192.0.2.7"),
            ("0:0:0::1", "::1"), ("2001:DB8::/32", "2001:db8::/32"), ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8:1111:2222:3333:4444:5555:6666/127", "2001:db8:1111:2222:3333:4444:5555:6666/127"),
        ])
    func description(_ text: String, _ written: String) throws {
        #expect(try #require(AddressRange(parsing: text)).description == written)
    }

    @Test("by default no peer is trusted")
    func nobody() {
        #expect(!TrustedProxies.none.contains("127.0.0.1"))
        #expect(TrustedProxies.none.client(peer: "127.0.0.1", forwardedFor: ["198.51.100.1"]) == "127.0.0.1")
    }

    @Test("the client is the rightmost hop that is not a trusted proxy")
    func rightmost() {
        let proxies = proxies("10.0.0.0/8")
        #expect(
            proxies.client(peer: "10.0.0.1", forwardedFor: ["198.51.100.1, 203.0.113.5, 10.0.0.2"]) == "203.0.113.5")
        #expect(proxies.client(peer: "10.0.0.1", forwardedFor: ["198.51.100.1", "203.0.113.5"]) == "203.0.113.5")
        #expect(proxies.client(peer: "203.0.113.9", forwardedFor: ["198.51.100.1"]) == "203.0.113.9")
        #expect(proxies.client(peer: "10.0.0.1", forwardedFor: ["198.51.100.1, rubbish"]) == "10.0.0.1")
        #expect(proxies.client(peer: "10.0.0.1", forwardedFor: []) == "10.0.0.1")
        #expect(proxies.client(peer: nil, forwardedFor: ["198.51.100.1"]) == "unknown")
    }

    static let hops: [(hop: String, client: String)] = [
        ("203.0.113.5:4711", "203.0.113.5"), ("[2001:db8::1]:4711", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"), (" 203.0.113.5 ", "203.0.113.5"), ("\t203.0.113.5:1\t", "203.0.113.5"),
        // A malformed address ends the chain at the proxy that sent it.
        ("unknown", "10.0.0.1"), ("_hidden", "10.0.0.1"), ("", "10.0.0.1"), ("203.0.113.5:", "203.0.113.5"),
        ("[::ffff:203.0.113.5]:80", "::ffff:203.0.113.5"), ("203.0.113.500", "10.0.0.1"), ("[", "10.0.0.1"),
        ("localhost:80", "10.0.0.1"), ("2001:db8::1:4711", "2001:db8::1:4711"),
    ]

    @Test("ports and brackets that some proxies write are not part of an address", arguments: hops)
    func portsAndBrackets(_ row: (hop: String, client: String)) {
        let proxies = proxies("10.0.0.0/8")
        #expect(proxies.client(peer: "10.0.0.1", forwardedFor: [row.hop]) == row.client)
        #expect(proxies.client(peer: "10.0.0.1", forwardedFor: ["198.51.100.1, \(row.hop)"]) == row.client)
    }

    @Test("a hop of a trusted proxy is skipped with its port and brackets too")
    func trustedHops() {
        let proxies = proxies("10.0.0.0/8", "2001:db8::/32")
        for hop in ["10.0.0.2:80", "[2001:db8::2]:443", "[2001:db8::2]", "::ffff:10.0.0.2"] {
            #expect(proxies.client(peer: "10.0.0.1", forwardedFor: ["203.0.113.5, \(hop)"]) == "203.0.113.5", "\(hop)")
        }
    }

    @Test("a client cannot choose its address: only what trusted proxies appended counts")
    func spoofed() {
        let proxies = proxies("10.0.0.1")
        #expect(
            proxies.client(peer: "10.0.0.1", forwardedFor: ["10.0.0.1, 192.0.2.66", "203.0.113.5"]) == "203.0.113.5")
    }
}
