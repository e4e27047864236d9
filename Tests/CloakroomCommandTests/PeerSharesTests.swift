import CloakroomMiddleware
import Logging
import Testing

@testable import cloakroom

@Suite struct PeerSharesTests {
    private let shares = PeerShares(
        of: 32, trusting: AddressRange(parsing: "10.0.0.0/8").map { TrustedProxies([$0]) } ?? .none,
        log: SampledLog(logger: Logger(label: "test")))

    private func admits(_ peer: String?) -> Bool {
        (try? shares.enter(peer)) != nil
    }

    @Test("one network has at most half of the connections, and others go on")
    func networks() throws {
        let first = try #require(try shares.enter("2001:db8:1:1::1"))
        for number in 2...16 { #expect(admits("2001:db8:1:1::\(number)")) }
        #expect(!admits("2001:db8:1:1::17"))
        for _ in 1...8 { #expect(admits("192.0.2.1")) }
        #expect(!admits("192.0.2.1"), "a quarter, while half are in use")
        #expect(admits("198.51.100.1"))
        #expect(!admits("2001:db8:1:2::1"), "its wider network has a half")
        shares.leave(first)
        #expect(admits("2001:db8:1:2::1"))
    }

    @Test("trusted proxies and local processes are not limited", arguments: ["10.1.2.3", "127.0.0.1", "::1", nil])
    func exempt(_ peer: String?) throws {
        for _ in 1...16 { #expect(admits("192.0.2.1")) }
        for _ in 1...40 { #expect(try shares.enter(peer) == nil) }
        #expect(!admits("192.0.2.1"))
    }
}
