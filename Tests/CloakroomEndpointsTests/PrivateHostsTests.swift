import CloakroomCore
import Testing

@testable import CloakroomEndpoints

/// DNS rebinding: the host names under which the private listener serves metrics.
@Suite struct PrivateHostsTests {
    private static let localNames: [String?] = [
        nil, "127.0.0.1", "127.0.0.1:8081", "10.1.2.3:8081", "[::1]", "[::1]:8081", "[2001:db8::1]:8081", "localhost",
        "LOCALHOST:8081", "localhost.:8081", "app.localhost:1", "cloakroom", "cloakroom:8081", "cloakroom_private",
        "cloakroom.internal:8081", "cloakroom.prod.svc.cluster.local:8081", "box.home.arpa",
        "app.example", "APP.example:8081", "scrape.example:8081", "scrape.example.",
    ]
    private static let foreignNames: [String?] = [
        "evil.test:8081", "evil.test", "evil.test.:8081", "127.0.0.1.evil.test", "localhost.evil.test:8081",
        "evil.test:127.0.0.1", "app.example.evil.test", "x.app.example", "xscrape.example", "evil.internal.test",
        "evil.localhost.test", "127.0.0.1@evil.test", "1.2.3.4.5", "", ":8081", ".", "evil-local.test", "a.evil.arpa",
        "mini.local", "evil.local:8081", "cluster.local", "evil.cluster.local", "xsvc.cluster.local",
    ]
    private static let hosts = PrivateHosts(own: ["App.example", nil, "scrape.example"])

    @Test("addresses, configured names and names that public DNS does not resolve are accepted", arguments: localNames)
    func ours(_ authority: String?) {
        #expect(Self.hosts.contains(authority))
    }

    @Test("a name that a page can have is refused", arguments: foreignNames)
    func foreign(_ authority: String?) {
        #expect(!Self.hosts.contains(authority))
    }

    @Test("metrics are refused under such a name; probes and checks respond, and reveal nothing to the page")
    func endpoints() async throws {
        let server = try TestServer()
        @Sendable func request(_ path: String, _ host: String) -> String {
            let told = "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /\r\nX-Forwarded-Host: localhost\r\n"
            return "GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\(told)\r\n"
        }
        try await server.runPrivately { port in
            let answers = try await RawConnection.converse(
                [
                    request("/metrics", "127.0.0.1:\(port)"), request("/metrics", "scrape.example:\(port)"),
                    request("/metrics", "evil.test:\(port)"), request("/healthz", "evil.test"),
                    request("/auth/check", "evil.test"),
                ], port: port)
            #expect(answers.map(\.status) == [200, 200, 421, 200, 401])
            #expect(answers[2].body.contains("misdirected_request") && !answers[2].body.contains("metrics"))
        }
    }
}
