import Logging
import Testing

@testable import CloakroomResourceServer

@Suite struct ServiceAddressTests {
    @Test(
        "a good address is taken",
        arguments: [
            ("https://app.example.com", "/p", "https://app.example.com/p"),
            ("https://a.b:8443/x", "", "https://a.b:8443/x"),
            ("http://127.0.0.1:8081", "/p", "http://127.0.0.1:8081/p"),
            ("http://[::1]:8081", "/p", "http://[::1]:8081/p"),
            ("http://localhost/x", "", "http://localhost/x"),
            ("unix:/run/a b", "/p", "http+unix://%2F%72%75%6E%2F%61%20%62/p"),
        ])
    func good(_ text: String, _ path: String, _ url: String) throws {
        #expect(try ServiceAddress(text, path: path, allowsPlainHTTP: false).url == url)
    }

    @Test(
        "an address that leads elsewhere or nowhere is refused",
        arguments: [
            "", "app.example.com", "ftp://a.b/x", "https://", "https:///x", "https://a.b", "https://user@a.b/x",
            "https://a.b//x", "https://a.b/x y", "https://a.b/x#y", "https://a.b:99999/x", "unix:/run/socket",
            "file:///x",
            "http://issuer.internal/x", "http://10.0.0.1/x", "http://localhost.evil.example/x",
        ])
    func bad(_ text: String) {
        #expect(throws: UnusableAddress.self) { try ServiceAddress(text, allowsPlainHTTP: false) }
    }

    @Test("http to another host must be allowed by name, for the key set and for the stream")
    func plainHTTP() throws {
        #expect(throws: UnusableAddress.self) { try ResourceServer(issuer: "http://cloakroom:8080") }
        let source = RevocationSource(privateListener: "http://cloakroom:8081", key: "k")
        #expect(throws: UnusableAddress.self) { try ResourceServer(issuer: "https://a.b", revocations: source) }
        _ = try ResourceServer(issuer: "http://cloakroom:8080", revocations: source, insecureAllowsPlainHTTP: true)
    }
}
