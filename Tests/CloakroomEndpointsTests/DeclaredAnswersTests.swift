import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import Testing

@testable import CloakroomEndpoints

/// Sends every endpoint requests in each state of a session and with each kind of error, and compares the responses
/// with the declared ones. The list of endpoints is the server's own.
@Suite struct DeclaredAnswersTests {
    /// The difference between a request and a valid one.
    private enum Manner: CaseIterable {
        case asDescribed, wrongPassword, takenAddress, noFields, wrongFields, otherMediaType, tooLarge, plainForm
        case crossSite, asServiceWorker, otherIdentifier
    }

    /// Denials that need a socket, a failing store or several hosts; the tests of those parts cover them.
    private static func undriven(_ endpoint: Endpoint) -> Set<Denial.Kind> {
        let everywhere = Set(Denials.everyConnection.descriptions.keys).union([.unavailable, .loginHostOnly])
        // Sixty codes in a minute: `HandOverLimitTests`.
        return endpoint.operation.id == Endpoint.handOverCode.operation.id
            ? everywhere.union([.rateLimited]) : everywhere
    }

    @Test(
        "each endpoint responds as it declares, and each declared denial occurs",
        arguments: Endpoint.onPublicListener.map(\.operation.id))
    func declared(_ id: String) async throws {
        let endpoint = try #require(Endpoint.all.first { $0.operation.id == id })
        let answers = Collected<Browser.Answer>()
        let world = try await TokenLeakWorld()
        try await world.server.run { browser in
            for state in PresentedState.allCases {
                for manner in [Manner.asDescribed, .wrongPassword] + (state == .fresh ? Manner.allCases : []) {
                    let presented = try await world.present(state)
                    answers.append(contentsOf: [try await Self.send(manner, to: endpoint, presented, state, browser)])
                }
            }
        }
        for configure in [Self.limit, Self.closeSignUp] {
            let world = try await TokenLeakWorld(configure)
            try await world.server.run { browser in
                let presented = try await world.present(.fresh)
                for manner in [Manner.asDescribed, .asDescribed, .wrongPassword, .wrongPassword, .wrongPassword] {
                    answers.append(contentsOf: [try await Self.send(manner, to: endpoint, presented, .fresh, browser)])
                }
            }
        }
        try await world.server.run { browser in
            let presented = try await world.present(.fresh)
            try await world.block(presented)
            let ofApp = try await world.presentSessionOfApp()
            for presented in [presented, ofApp] {
                answers.append(contentsOf: [try await Self.send(.asDescribed, to: endpoint, presented, .fresh, browser)]
                )
            }
        }
        compare(answers.values.map { (status: $0.status, code: $0.code, text: $0.text) }, with: endpoint)
    }

    @Test("forward-auth responds as it declares, and each declared denial occurs")
    func check() async throws {
        let world = try await TokenLeakWorld()
        let requests = Collected<String>()
        for state in PresentedState.allCases {
            for query in [
                "", "?max_age=60", "?acr=phr", "?acr=9", "?allow=200", "?login=/in", "?refuse", "?claim=roles:editor",
            ] {
                for more in [[], ["Origin: https://evil.example", "Upgrade: websocket"], ["Service-Worker: script"]] {
                    let presented = try await world.present(state)
                    let credentials = [
                        presented.cookie.map { "Cookie: \(SessionCookie.defaultName)=\($0)" },
                        presented.bearer.map { "Authorization: Bearer \($0)" },
                    ]
                    requests.append(contentsOf: [
                        LoggedIn.check(
                            credentials.compactMap { $0 } + ["Accept: text/html"] + more,
                            line: "GET /auth/check\(query) HTTP/1.1")
                    ])
                }
            }
        }
        try await compare(requests.values, with: .check, world.server)
    }

    @Test("the other endpoints of the private listener respond as they declare")
    func privately() async throws {
        let world = try await TokenLeakWorld()
        for endpoint in Endpoint.all
        where endpoint.privately != nil && endpoint.operation.id != "check" && !endpoint.isService {
            let request = "GET \(endpoint.operation.path) HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let denials = endpoint.publicly == nil ? [] : Array(Denials.everyBrowser.descriptions.keys)
            try await compare([request], with: endpoint, world.server, without: Set(denials))
        }
    }

    @Test("every kind of denial is declared by an endpoint, with its status")
    func kinds() {
        let declared = Endpoint.all.reduce(into: Set<Denial.Kind>()) { $0.formUnion($1.denials.descriptions.keys) }
        // The router denies unknown methods, and no session is bound to a key yet.
        let others: Set<Denial.Kind> = [.methodNotAllowed, .bindingRequired]
        let gateway: Set<Denial.Kind> = [
            .targetTooLong, .expectationFailed, .notImplemented, .versionNotSupported, .upstreamUnavailable,
            .upstreamTimeout,
        ]
        #expect(Set(Denial.Kind.allCases).subtracting(declared) == others.union(gateway))
        for kind in Denial.Kind.allCases { #expect(kind.example.kind == kind) }
    }

    private func compare(
        _ requests: [String], with endpoint: Endpoint, _ server: TestServer, without shown: Set<Denial.Kind> = []
    ) async throws {
        let answers = Collected<RawConnection.Answer>()
        try await server.runPrivately { port in
            answers.append(contentsOf: try await RawConnection.converse(requests, port: port))
        }
        #expect(answers.values.count == requests.count)
        compare(
            answers.values.map { answer in
                let code = try? JSONReader.read(Array(answer.body.utf8)).objectValue?["code"]?.stringValue
                return (status: answer.status, code: code, text: answer.description)
            }, with: endpoint, without: shown)
    }

    private func compare(
        _ answers: [(status: Int, code: String?, text: String)], with endpoint: Endpoint,
        without shown: Set<Denial.Kind> = []
    ) {
        let declared = Set(endpoint.denials.descriptions.keys)
        let denied = Set(answers.compactMap { $0.code.flatMap { Denial.Kind(rawValue: $0) } })
        #expect(denied.subtracting(declared) == [], "denials without a declaration")
        #expect(
            declared.subtracting(denied).subtracting(Self.undriven(endpoint)).subtracting(shown) == [],
            "declared denials that never occurred")
        let statuses = Set(endpoint.answers.map(\.status.code))
        for answer in answers where answer.code == nil {
            #expect(statuses.contains(answer.status), "\(answer.text)")
        }
    }

    private static func limit(_ configuration: inout AuthorizationServer.Configuration) {
        configuration.failedLoginsPerMinute = 1
        configuration.signUpsPerHour = 1
    }

    private static func closeSignUp(_ configuration: inout AuthorizationServer.Configuration) {
        configuration.isSignUpOpen = false
    }

    private static func send(
        _ manner: Manner, to endpoint: Endpoint, _ presented: TokenLeakWorld.Presented, _ state: PresentedState,
        _ browser: Browser
    ) async throws -> Browser.Answer {
        var headers: HTTPFields = [:]
        headers[.cookie] = presented.cookie.map { "\(SessionCookie.defaultName)=\($0)" } ?? ""
        if let bearer = presented.bearer { headers[.authorization] = "Bearer \(bearer)" }
        var fields = fields(of: endpoint, presented, state)
        switch manner {
        case .asDescribed, .otherIdentifier: break
        case .wrongPassword: for name in passwords where fields[name] != nil { fields[name] = "not the password" }
        case .takenAddress: if fields["email"] != nil { fields["email"] = .string(presented.email) }
        case .noFields: fields = [:]
        case .wrongFields: for name in endpoint.fields.map(\.name) { fields[name] = ["wrong"] }
        case .otherMediaType: headers[.contentType] = "text/plain"
        case .tooLarge: fields["padding"] = .string(String(repeating: "x", count: Call.maximumBody))
        case .plainForm:
            headers[.contentType] = "application/x-www-form-urlencoded"
            headers[.secFetchMode] = "navigate"
        case .crossSite:
            headers[.origin] = "https://evil.example"
            headers[.upgrade] = "websocket"
        case .asServiceWorker: headers[.serviceWorker] = "script"
        }
        let identifier = manner == .otherIdentifier ? "unknown" : presented.otherSession
        let path = endpoint.paths(naming: identifier)[0]
        switch endpoint.place {
        case .json, .jsonOrForm: return try await browser.send(endpoint.method, path, .object(fields), headers: headers)
        case .query:
            let query = fields.members.map { member in
                "\(member.name)=\(member.value.stringValue ?? String(decoding: member.value.serialized, as: UTF8.self))"
            }.joined(separator: "&")
            return try await browser.send(endpoint.method, "\(path)?\(query)", headers: headers)
        case nil: return try await browser.send(endpoint.method, path, headers: headers)
        }
    }

    private static let passwords = ["password", "current_password"]

    /// The endpoint's example, with the values of this account and session.
    private static func fields(
        of endpoint: Endpoint, _ presented: TokenLeakWorld.Presented, _ state: PresentedState
    ) -> JSONObject {
        let isNew = endpoint.operation.id == "signUp"
        let own: JSONObject = [
            "email": .string(isNew ? "new.\(presented.email)" : presented.email),
            "password": .string(TestServer.password), "current_password": .string(TestServer.password),
            "client_id": .string(state.client.rawValue),
        ]
        var fields = endpoint.example
        for member in own.members where fields[member.name] != nil { fields[member.name] = member.value }
        if fields["refresh_token"] != nil { fields["refresh_token"] = presented.refreshToken.map { .string($0) } }
        return fields
    }
}
