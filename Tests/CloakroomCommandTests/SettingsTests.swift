import CloakroomCore
import CloakroomEndpoints
import CloakroomMiddleware
import CloakroomTokens
import Foundation
import Testing

@testable import cloakroom

@Suite struct SettingsTests {
    private func settings(
        _ flags: [SettingName: String] = [:], environment: [String: String] = [:], yaml: String? = nil
    ) -> Result<Settings, SettingsError> {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).yaml").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        if let yaml { _ = FileManager.default.createFile(atPath: path, contents: Data(yaml.utf8)) }
        return Result { () throws(SettingsError) in
            try Settings(SettingsSources(flags: flags, environment: environment, file: yaml == nil ? nil : path))
        }
    }

    @Test("every setting has three spellings")
    func spellings() {
        #expect(SettingName.publicURL.environmentName == "CLOAKROOM_PUBLIC_URL")
        #expect(SettingName.publicURL.flag == "--public-url")
        #expect(SettingName.accessTokenLifetime.environmentName == "CLOAKROOM_ACCESS_TOKEN_LIFETIME")
        #expect(SettingName.dataDir.flag == "--data-dir")
        #expect(SettingName.port.environmentName == "CLOAKROOM_PORT")
    }

    @Test("the defaults are those of the contract")
    func defaults() throws {
        let settings = try settings().get()
        #expect(settings.host == "127.0.0.1" && settings.port == 8080 && !settings.isDemo)
        #expect(settings.server.policy == SessionPolicy())
        #expect(!settings.server.isSignUpOpen && settings.server.clients.isEmpty)
        #expect(settings.server.issuer == "http://localhost" && settings.server.audience == "http://localhost")
        #expect(settings.databasePath == "./cloakroom-data/cloakroom.sqlite" && settings.isLoopbackDevelopment)
    }

    @Test("a flag beats the environment, the environment the file, the file the default")
    func precedence() throws {
        let environment = ["CLOAKROOM_PORT": "2"]
        #expect(try settings([.port: "1"], environment: environment, yaml: "port: 3").get().port == 1)
        #expect(try settings(environment: environment, yaml: "port: 3").get().port == 2)
        #expect(try settings(yaml: "port: 3").get().port == 3)
    }

    @Test("the demo opens sign-up, unless it is told otherwise")
    func demo() throws {
        #expect(try settings([.demo: "true"]).get().server.isSignUpOpen)
        #expect(try !settings([.demo: "true", .signup: "closed"]).get().server.isSignUpOpen)
    }

    @Test("a public URL is our own origin, and names the issuer")
    func publicURL() throws {
        let settings = try settings([.publicURL: "https://App.Example.com/", .host: "0.0.0.0"]).get()
        #expect(settings.server.publicURL?.description == "https://app.example.com")
        #expect(settings.server.issuer == "https://app.example.com" && !settings.isLoopbackDevelopment)
    }

    @Test(
        "clients are read in every form",
        arguments: [
            "clients: [{id: app, delivery: body, insecureAllowBrowser: true}]",
            "clients: {app: {delivery: body, insecureAllowBrowser: true}}",
            "clients: [app=body+insecureAllowBrowser]", "clients: app=body+insecureAllowBrowser",
        ])
    func clients(_ yaml: String) throws {
        let expected = Client(id: ClientID("app"), delivery: .body, insecureAllowBrowser: true)
        #expect(try settings(yaml: yaml).get().server.clients == [expected])
    }

    @Test(
        "a value that cannot be used is refused where it stands",
        arguments: [
            "port: x", "port: -1", "idleLifetime: 0", "absoluteLifetime: 99999999", "stragglerWindow: -0.1",
            "demo: maybe",
            "issuer: ''", "issuer: 'a b'", "clients: [a=body, a=cookie]", "clients: 7", "clients: [{delivery: body}]",
            "clients: [{id: a, insecureAllowBrowser: 7}]", "clients: [[a]]", "loginRateLimit: 0",
            "trustedOrigins: [[a]]",
            "host: {a: b}", "port: 1\nport: 2", "logLevel: loud", "store: 'sqlite:'", "dataDir: ''",
            "trustedOrigins: [http://a/b]", "serviceWorkers: [sw.js]", "serviceWorkers: [/sw.js?v=1]",
            "serviceWorkers: ['/a b']",
        ])
    func refused(_ yaml: String) {
        #expect(throws: SettingsError.self) { try settings(yaml: yaml).get() }
    }

    @Test(
        "what can be used is",
        arguments: [
            "accessTokenLifetime: 0.5", "stragglerWindow: 0", "loginRateLimit: off", "loginRateLimit: 5",
            "store: 'sqlite:/tmp/x'",
            "trustedProxies: [10.0.0.0/8, '::1']", "trustedOrigins: https://a.example,https://b.example",
            "signingAlgorithm: Ed25519", "serviceWorkers: [/sw.js, /app/sw.js]",
            "sameSite: Strict", "logLevel: debug", "", "signup: open", "publicURL: http://localhost:9000",
        ])
    func accepted(_ yaml: String) throws {
        _ = try settings(yaml: yaml).get()
    }
}
