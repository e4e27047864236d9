import Testing

@testable import CloakroomCore

@Suite struct HostFaultTests {
    private static func origin(_ text: String) throws -> WebOrigin { try #require(WebOrigin(parsing: text)) }

    @Test(
        "hosts below one domain of one owner can be served beside the login host",
        arguments: [
            ("https://login.example.com", ["https://shop.example.com", "https://app.example.com"]),
            ("https://example.com", ["https://shop.example.com", "https://a.b.example.com"]),
            ("https://login.example.com", ["https://example.com"]),
            ("https://login.example.co.uk", ["https://shop.example.co.uk"]),
            ("https://login.ann.github.io", ["https://shop.ann.github.io"]),
            ("https://login.example.com:8443", ["https://shop.example.com:9443"]),
            ("http://login.localhost:8080", ["http://shop.localhost:8080", "http://localhost:8080"]),
        ])
    func served(_ login: String, _ hosts: [String]) throws {
        let origins = try Set(hosts.map(Self.origin))
        #expect(HostFault.find(in: origins, beside: try Self.origin(login)) == nil)
    }

    @Test(
        "hosts of strangers, other schemes and shared jars cannot",
        arguments: [
            ("https://login.example.com", "https://shop.example.net", "domain"),
            ("https://login.example.com", "https://example.com.evil", "domain"),
            ("https://login.example.com", "https://notexample.com", "domain"),
            ("https://login.example.com", "https://com", "domain"),
            ("https://ann.github.io", "https://bob.github.io", "domain"),
            ("https://a.github.io", "https://github.io", "domain"),
            ("https://shop.co.uk", "https://app.co.uk", "domain"), ("https://shop.co.uk", "https://co.uk", "domain"),
            ("https://192.0.2.1", "https://192.0.2.2", "domain"), ("http://localhost", "http://127.0.0.1", "domain"),
            ("https://login.example.com", "http://shop.example.com", "scheme"),
            ("https://login.example.com", "https://login.example.com:8443", "name"),
        ])
    func refused(_ login: String, _ host: String, _ kind: String) throws {
        let origin = try Self.origin(host)
        let faults: [String: HostFault] = [
            "domain": .otherDomain(origin), "scheme": .otherScheme(origin), "name": .sameName(origin),
        ]
        #expect(HostFault.find(in: [origin], beside: try Self.origin(login)) == faults[kind])
    }

    @Test("two ports of one name share a jar, and there are at most 16 hosts beside a public URL")
    func together() throws {
        let login = try Self.origin("https://login.example.com")
        let ports = try Set(["https://shop.example.com", "https://shop.example.com:8443"].map(Self.origin))
        #expect(HostFault.find(in: ports, beside: login) == .sameName(try Self.origin("https://shop.example.com:8443")))
        let many = try Set((0..<17).map { try Self.origin("https://h\($0).example.com") })
        #expect(HostFault.find(in: many, beside: login) == .tooMany)
        #expect(HostFault.find(in: Set(many.prefix(16)), beside: login) == nil)
        #expect(HostFault.find(in: many, beside: nil) == .noLoginHost)
        #expect(HostFault.find(in: [], beside: nil) == nil)
    }
}
