import ArgumentParser
import CloakroomCore
import CloakroomEndpoints
import CloakroomMiddleware
import CloakroomTokens
import Foundation
import Testing

@testable import cloakroom

@Suite struct SettingsTests {
    private func settings(
        _ flags: [SettingKey: String] = [:], environment: [String: String] = [:], yaml: String? = nil
    ) -> Result<Settings, SettingsError> {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).yaml").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        if let yaml { _ = FileManager.default.createFile(atPath: path, contents: Data(yaml.utf8)) }
        return Result { () throws(SettingsError) in
            try Settings(SettingsSources(flags: flags, environment: environment, file: yaml == nil ? nil : path))
        }
    }

    @Test(
        "the flag and the environment variable are derived from the key",
        arguments: [
            ("publicURL", "--public-url", "CLOAKROOM_PUBLIC_URL"), ("dataDir", "--data-dir", "CLOAKROOM_DATA_DIR"),
            ("accessTokenLifetime", "--access-token-lifetime", "CLOAKROOM_ACCESS_TOKEN_LIFETIME"),
            ("port", "--port", "CLOAKROOM_PORT"),
        ])
    func spellings(_ key: String, _ flag: String, _ variable: String) {
        #expect(SettingKey(key).flag == flag && SettingKey(key).environmentName == variable)
    }

    @Test(
        "the defaults are those of the contract",
        arguments: [
            ("host", "127.0.0.1"), ("port", "8080"), ("demo", "false"), ("publicURL", "none"),
            ("privateListen", "off"), ("keyRotation", "off"), ("dataDir", "./cloakroom-data"),
            ("store", "sqlite:./cloakroom-data/cloakroom.sqlite"), ("accessTokenLifetime", "300"),
            ("stragglerWindow", "30"), ("reissueDelay", "2"), ("idleLifetime", "2592000"),
            ("absoluteLifetime", "7776000"), ("maxSessions", "100"), ("signup", "closed"), ("loginRateLimit", "20"),
            ("signupRateLimit", "20"), ("issuer", "http://localhost"), ("clients", "none"),
            ("cookieName", "__Host-Http-session"), ("sameSite", "Lax"), ("trustedOrigins", "none"),
            ("trustedProxies", "none"), ("serviceWorkers", "none"), ("xsrfCookie", "false"),
        ])
    func defaults(_ key: String, _ text: String) throws {
        let setting = try #require(SettingsTable[SettingKey(key)])
        #expect(try setting.text(settings().get()) == text)
    }

    @Test("a flag overrides the environment, the environment the file, and the file the default")
    func precedence() throws {
        let environment = ["CLOAKROOM_PORT": "2"]
        #expect(try settings(["port": "1"], environment: environment, yaml: "port: 3").get().listeners.port == 1)
        #expect(try settings(environment: environment, yaml: "port: 3").get().listeners.port == 2)
        #expect(try settings(yaml: "port: 3").get().listeners.port == 3)
    }

    @Test("the demo opens sign-up, unless signup is given")
    func demo() throws {
        #expect(try settings(["demo": "true"]).get().server.isSignUpOpen)
        #expect(try !settings(["demo": "true", "signup": "closed"]).get().server.isSignUpOpen)
    }

    @Test("a public URL is our own origin, and names the issuer")
    func publicURL() throws {
        let settings = try settings(["publicURL": "https://App.Example.com/", "host": "0.0.0.0"]).get()
        #expect(settings.server.publicURL?.description == "https://app.example.com")
        #expect(settings.server.issuer == "https://app.example.com" && !settings.isLoopbackDevelopment)
    }

    @Test("paths and addresses that are not set are computed from other settings")
    func computed() throws {
        let settings = try settings(["dataDir": "d", "privateListen": "[::1]:0", "privateSocketGroup": "g"]).get()
        #expect(settings.data.store == .sqlite(path: "d/cloakroom.sqlite") && settings.isLoopbackDevelopment)
        #expect(settings.privateListener?.socketGroup == "g")
        #expect(settings.privateListener?.description(port: 7) == "http://[::1]:7")
        #expect(try self.settings(["privateListen": "off"]).get().privateListener == nil)
    }

    @Test("the path of a database is saved as an absolute path, for commands in another directory")
    func relativeStore() throws {
        let store = try settings(["store": "sqlite:a/b.sqlite"]).get().data.store
        #expect(store == .sqlite(path: FileManager.default.currentDirectoryPath + "/a/b.sqlite"))
    }

    @Test(
        "no message and no saved setting has the password of a store",
        arguments: [
            "postgres://app:s3cret@h/d?pooler=x", "postgres://app:s3cret@h/d?nothing=x", "postgres://app:s3cret@h:x/d",
            "postgres://app:s3cret@h/d", "mysql://app:s3cret@h/d",
        ])
    func storePassword(_ text: String) throws {
        switch settings(["store": text]) {
        case .success(let settings):
            #expect(settings.remembered.values.contains("postgres://app@h/d"))
            #expect(!settings.remembered.values.contains { $0.contains("s3cret") })
        case .failure(let error):
            #expect(!error.description.contains("s3cret") && error.description.contains("--store"))
        }
    }

    @Test(
        "the message about an address names its part, and where it was given",
        arguments: [
            ("sqlite:", "expected sqlite:PATH or postgres://HOST/DATABASE"),
            ("postgres://h/d?pooler=x", "pooler: expected none or transaction"),
            ("postgres://h:x/d", "port: expected a number from 1 to 65535"),
        ])
    func storeAddress(_ text: String, _ problem: String) {
        for (result, place) in [
            (settings(["store": text]), "--store"),
            (settings(environment: ["CLOAKROOM_STORE": text]), "CLOAKROOM_STORE"),
            (settings(yaml: "store: '\(text)'"), ".yaml: store"),
        ] {
            let error = #expect(throws: SettingsError.self) { try result.get() }
            #expect(error?.description.contains("\(place): \(problem)") == true)
        }
    }

    @Test(
        "keys may rotate 90 times in the lifetime of a session, and once an hour",
        arguments: [
            ("86400", "7776000", nil), ("3600", "324000", nil), ("off", "7776000", nil),
            ("86399", "7776000", "expected at least 86400 seconds, a ninetieth of absoluteLifetime"),
            ("3600", "324090", "expected at least 3601 seconds"),
            ("3599", "60", "expected seconds, 3600 to 400 days, or off"),
        ] as [(String, String, String?)])
    func keyRotation(_ interval: String, _ lifetime: String, _ problem: String?) {
        switch settings(["keyRotation": interval, "absoluteLifetime": lifetime]) {
        case .success(let settings):
            #expect(problem == nil && (settings.server.keyRotation == nil) == (interval == "off"))
        case .failure(let error):
            #expect(error.description.hasPrefix("--key-rotation: \(problem ?? "no problem")"))
        }
    }

    @Test(
        "an address that is not loopback needs a public URL with https",
        arguments: [
            (["host": "0.0.0.0"], "--host: binding to 0.0.0.0 needs publicURL"),
            (["publicURL": "http://app.example.com"], "--public-url: expected https, except on loopback"),
            (
                ["host": "0.0.0.0", "publicURL": "http://localhost:8080"],
                "--host: binding to 0.0.0.0 needs a publicURL with https, got http://localhost:8080"
            ),
            (["host": "::", "publicURL": "http://127.0.0.1"], "--host: binding to :: needs a publicURL with https"),
        ] as [([SettingKey: String], String)])
    func reach(_ flags: [SettingKey: String], _ complaint: String) {
        let error = #expect(throws: SettingsError.self) { try settings(flags).get() }
        #expect(error?.description.hasPrefix(complaint) == true)
    }

    @Test(
        "an unknown or duplicate key, or a value of a wrong type, is refused, and the message names the file",
        arguments: [
            ("prot: 1", "prot: is not a setting; there are dataDir, store, masterSecret, masterSecretFile, host,"),
            ("port: 1\nport: 2", "port: stands twice"),
            ("port: 1\n!tag port: 2", "port: stands twice"),
            ("port: {a: b}", "port: expected a port, 0 to 65535, got a value of another shape"),
            ("cookieName: session", "cookieName: expected a name that begins with __Host-"),
            ("trustedOrigins: ['https://a.b,https://c.d']", "trustedOrigins: expected one value in each item"),
            ("serviceWorkers: ['/a,b.js']", "serviceWorkers: expected one value in each item, got \"/a,b.js\""),
            ("clients: ['a=body,b=body']", "clients[0]: expected one value in each item"),
            ("clients: [{delivery: body}]", "clients[0]: expected an id"),
            ("clients: [{id: 'a,b'}]", "clients[0]: expected an id without commas"),
            ("clients: {'a=b': body}", "clients: expected an id without commas and equals signs"),
            ("clients: [{id: a, delivery: mail}]", "clients.a.delivery: expected cookie, hybrid or body, got \"mail\""),
            ("clients: {spa: mail}", "clients.spa: expected cookie, hybrid or body, got \"mail\""),
            ("clients: [{id: a, delivery: []}]", "clients.a.delivery: expected cookie, hybrid or body, got a value of"),
            ("clients: [{id: a, deliver: body}]", "clients.a.deliver: is not a key of a client; there are id,"),
            ("clients: {spa: {insecureAllowBrowser: 1}}", "clients.spa.insecureAllowBrowser: expected true or false"),
            ("clients: {spa: [body]}", "clients.spa: expected a delivery"),
            ("clients: [a=body, {id: a}]", "clients.a: stands twice"),
            ("port: 1\nhost: [", "line 3, column 1: is not YAML: expected lines such as \"port: 8443\""),
            ("port: 1\nhost: a: b", "line 2, column 8: is not YAML: expected lines"),
            ("clients:\n\t- a", "line 2, column 1: is not YAML: expected spaces before the key, got a tab"),
            ("port: 1\nhost: 'a", "line 2, column 9: is not YAML: expected lines such as"),
            ("port: 1\nhost: \u{1}", "line 2: is not YAML: expected text, got a control character"),
        ])
    func complaints(_ yaml: String, _ complaint: String) {
        let error = #expect(throws: SettingsError.self) { try settings(yaml: yaml).get() }
        #expect(error?.description.contains(".yaml: \(complaint)") == true)
    }

    @Test(
        "clients are parsed in every form",
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
        "a client without a delivery has its tokens in the cookie",
        arguments: [
            "clients: [{id: app}]", "clients: {app: {}}", "clients: {app: }", "clients: {app: null}", "clients: [app]",
            "clients: {app: {insecureAllowBrowser: false}}",
        ])
    func cookieByDefault(_ yaml: String) throws {
        #expect(try settings(yaml: yaml).get().server.clients == [Client(id: ClientID("app"), delivery: .cookie)])
    }

    @Test("an empty path of the configuration file is refused where it stands; none is none")
    func emptyPath() throws {
        let none = try Serve.parse([]).storeOptions
        #expect(try none.file([:]) == nil && none.file(["CLOAKROOM_CONFIG": "/a"]) == "/a")
        #expect(try none.file(["CLOAKROOM_CONFIG": ""]) == nil)
        let flag = try Serve.parse(["--config", ""]).storeOptions
        #expect(throws: SettingsError.self) { try flag.file(["CLOAKROOM_CONFIG": "/a"]) }
    }

    @Test(
        "a value that cannot be used is refused",
        arguments: [
            "port: x", "port: -1", "idleLifetime: 0", "absoluteLifetime: 99999999", "stragglerWindow: -0.1",
            "demo: maybe",
            "issuer: ''", "issuer: 'a b'", "clients: [a=body, a=cookie]", "clients: 7", "clients: [{delivery: body}]",
            "clients: [{id: a, insecureAllowBrowser: 7}]", "clients: [[a]]", "loginRateLimit: 0",
            "trustedOrigins: [[a]]",
            "host: {a: b}", "port: 1\nport: 2", "logLevel: loud", "store: 'sqlite:'", "dataDir: ''",
            "trustedOrigins: [http://a/b]", "trustedOrigins: ['https://*.com']",
            "trustedOrigins: ['https://*.vercel.app']",
            "trustedOrigins: ['http://*.example.com']", "trustedOrigins: ['https://pr-*.example.com']",
            "trustedOrigins: '*'", "trustedOrigins: ['file://a']", "serviceWorkers: [sw.js]",
            "serviceWorkers: [/sw.js?v=1]",
            "hosts: shop.example.com", "publicURL: https://login.example.com\nhosts: '*.example.com'",
            "publicURL: https://login.example.com\nhosts: [shop.example.net]",
            "serviceWorkers: ['/a b']", "trustedProxies: [0.0.0.0/0]", "trustedProxies: ['::/0']",
            "trustedProxies: [10.0.0.0/8, 128.0.0.0/1]", "trustedProxies: 0.0.0.0/7", "trustedProxies: 'c000::/6'",
        ])
    func refused(_ yaml: String) {
        #expect(throws: SettingsError.self) { try settings(yaml: yaml).get() }
    }

    @Test(
        "good values are accepted",
        arguments: [
            "accessTokenLifetime: 0.5", "stragglerWindow: 0", "loginRateLimit: off", "loginRateLimit: 5",
            "store: 'sqlite:/tmp/x'",
            "trustedProxies: [10.0.0.0/8, '::1']", "trustedProxies: 'fc00::/7'",
            "trustedOrigins: https://a.example,https://b.example",
            "trustedOrigins: ['https://*.Preview.example.com/', capacitor://localhost, http://tauri.localhost]",
            "signingAlgorithm: Ed25519", "serviceWorkers: [/sw.js, /app/sw.js]",
            "sameSite: Strict", "logLevel: debug", "", "signup: open", "publicURL: http://localhost:9000",
            "publicURL: https://login.example.com\nhosts: [shop.example.com, 'https://app.example.com/']",
        ])
    func accepted(_ yaml: String) throws {
        _ = try settings(yaml: yaml).get()
    }
}
