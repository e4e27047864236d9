import Testing

@testable import cloakroom

@Suite struct ServiceLinksTests {
    @Test(
        "the variables that Kubernetes sets for a service named cloakroom are not settings",
        arguments: [
            ("CLOAKROOM_PORT", "tcp://10.0.0.1:8080"), ("CLOAKROOM_PORT", "udp://10.0.0.1:53"),
            ("CLOAKROOM_PORT", "tcp://[fd00::1]:8080"), ("CLOAKROOM_SERVICE_HOST", "10.0.0.1"),
            ("CLOAKROOM_SERVICE_PORT", "8080"), ("CLOAKROOM_SERVICE_PORT_HTTP", "8080"),
            ("CLOAKROOM_PORT_8080_TCP", "tcp://10.0.0.1:8080"), ("CLOAKROOM_PORT_8080_TCP_PROTO", "tcp"),
            ("CLOAKROOM_PORT_8080_TCP_PORT", "8080"), ("CLOAKROOM_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("CLOAKROOM_PRIVATE_PORT", "tcp://10.0.0.2:8081"), ("CLOAKROOM_PRIVATE_SERVICE_HOST", "10.0.0.2"),
            ("CLOAKROOM_PRIVATE_PORT_8081_UDP_ADDR", "10.0.0.2"),
        ])
    func links(_ name: String, _ value: String) {
        #expect(ServiceLinks.contains(name, value))
        #expect(ServiceLinks.removed(from: [name: value, "CLOAKROOM_HOST": "::1"]) == ["CLOAKROOM_HOST": "::1"])
    }

    @Test(
        "a setting with any value is not taken for one of these variables",
        arguments: [
            ("CLOAKROOM_PORT", "8080"), ("CLOAKROOM_PORT", "tcp:8080"), ("CLOAKROOM_PORT", ""),
            ("CLOAKROOM_HOST", "10.0.0.1"), ("CLOAKROOM_SERVICE_WORKERS", "/sw.js"),
            ("CLOAKROOM_PUBLIC_URL", "https://a.example"), ("PORT", "tcp://10.0.0.1:8080"),
        ])
    func settings(_ name: String, _ value: String) {
        #expect(!ServiceLinks.contains(name, value))
    }

    @Test("no setting has the name of a service link", arguments: SettingsTable.all)
    func names(_ setting: Setting) {
        #expect(!ServiceLinks.contains(setting.key.environmentName, "value"))
    }
}
