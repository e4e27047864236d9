import CloakroomCore
import CloakroomFiles
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTesting
import CloakroomTokens
import Foundation
import Testing

@testable import CloakroomEndpoints

@Suite struct ConfigurationTests {
    typealias Configuration = AuthorizationServer.Configuration

    /// One invalid value, and the name of its field.
    struct Bad: Sendable, CustomTestStringConvertible {
        let field: String
        let testDescription: String
        let set: @Sendable (inout Configuration) -> Void

        init<Value: Sendable>(
            _ field: String, _ path: any WritableKeyPath<Configuration, Value> & Sendable, _ value: Value
        ) {
            self.field = field
            testDescription = "\(field): \(value)"
            set = { $0[keyPath: path] = value }
        }
    }

    private static let lifetimes: [Bad] = [Span.zero, .seconds(-1), .days(401), .days(.max), .days(.min)].flatMap {
        [
            Bad("policy.accessTokenLifetime", \.policy.accessTokenLifetime, $0),
            Bad("policy.idleLifetime", \.policy.idleLifetime, $0),
            Bad("policy.absoluteLifetime", \.policy.absoluteLifetime, $0),
        ]
    }
    private static let waits: [Bad] = [Span.seconds(-1), .days(401), .days(.max)].flatMap {
        [
            Bad("policy.stragglerWindow", \.policy.stragglerWindow, $0),
            Bad("policy.reissueDelay", \.policy.reissueDelay, $0),
        ]
    }
    private static let numbers: [Bad] = [0, -1, Int.min, Int.max].flatMap {
        [
            Bad("failedLoginsPerMinute", \.failedLoginsPerMinute, $0), Bad("signUpsPerHour", \.signUpsPerHour, $0),
            Bad("maximumSessions", \.maximumSessions, $0),
        ]
    }
    private static let texts: [Bad] = [
        Bad("issuer", \.issuer, ""), Bad("issuer", \.issuer, String(repeating: "x", count: 129)),
        Bad("issuer", \.issuer, "http://localhost\n"), Bad("audience", \.audience, ""),
        Bad("cookieName", \.cookieName, "session"), Bad("cookieName", \.cookieName, "__Host-a;b"),
        Bad("clients", \.clients, [.browser, .browser]),
        Bad("keyRotation", \.keyRotation, .days(1) + .seconds(-1)), Bad("keyRotation", \.keyRotation, .days(401)),
        Bad("keyRotation", \.keyRotation, .zero),
        Bad("hosts", \.hosts, Set([WebOrigin(parsing: "https://shop.example.com")].compactMap { $0 })),
    ]

    @Test("a bad value is named, and the server does not start", arguments: lifetimes + waits + numbers + texts)
    func refused(_ bad: Bad) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "cloakroom-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var configuration = Configuration()
        bad.set(&configuration)
        let error = #expect(throws: Configuration.Invalid.self) {
            _ = try AuthorizationServer(
                store: InMemoryStore(), keys: KeyFiles(directory: DataDirectory(directory)),
                configuration: configuration)
        }
        #expect(error?.field == bad.field)
    }

    @Test("the defaults, the extreme values and limits that are off are accepted")
    func accepted() throws {
        var configuration = Configuration()
        try configuration.check()
        configuration.failedLoginsPerMinute = nil
        configuration.signUpsPerHour = 100_000
        configuration.maximumSessions = 1
        configuration.policy.stragglerWindow = .zero
        configuration.policy.absoluteLifetime = .days(400)
        configuration.policy.accessTokenLifetime = Span(milliseconds: 1)
        try configuration.check()
    }
}
