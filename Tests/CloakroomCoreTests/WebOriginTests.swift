import Testing

@testable import CloakroomCore

@Suite struct WebOriginTests {
    @Test(
        "an origin has one spelling",
        arguments: [
            ("https://app.example.com", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://app.example.com:80", "http://app.example.com"),
            ("https://app.example.com:80", "https://app.example.com:80"),
            ("http://localhost:8080", "http://localhost:8080"), ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[::1]", "http://[::1]"), ("http://a_b.example", "http://a_b.example"),
        ])
    func accepted(_ text: String, _ canonical: String) {
        #expect(WebOrigin(parsing: text)?.description == canonical)
    }

    @Test(
        "any other text is not an origin",
        arguments: [
            "null", "", "https://", "app.example.com", "ftp://a.example", "HTTPS://a.example", "https://A.example",
            "https://a.example/", "https://a.example/b", "https://a.example?b", "https://a.example#b",
            "https://u@a.example", "https://a..example", "https://.example", "https://a.example.", "https://a.example:",
            "https://a.example:0", "https://a.example:65536", "https://a.example:-1", "https://a.example:+1",
            "https://*.example", "https://a example", "https://\u{E4}.example", "http://[::1", "http://[]",
            "http://[::g]",
            "https://a.example:123456",
            "http://\u{301}localhost", "http://localhost:\u{301}80", "http:/\u{301}/localhost",
        ])
    func refused(_ text: String) {
        #expect(WebOrigin(parsing: text) == nil)
    }

    @Test("a label has at most 63 characters, and a host name is bounded")
    func lengths() {
        let label = String(repeating: "a", count: 63)
        #expect(WebOrigin(parsing: "https://\(label).example") != nil)
        #expect(WebOrigin(parsing: "https://\(label)a.example") == nil)
        #expect(WebOrigin(parsing: "https://" + Array(repeating: label, count: 4).joined(separator: ".")) == nil)
    }

    @Test(
        "loopback hosts are distinguished from all others",
        arguments: [
            ("http://localhost", true), ("http://a.localhost", true), ("http://127.0.0.1:1", true),
            ("http://[::1]", true), ("http://127.0.0.2", false), ("http://localhost.example", false),
        ])
    func loopback(_ text: String, _ expected: Bool) {
        #expect(WebOrigin(parsing: text)?.isLoopback == expected)
    }
}
