import CloakroomAccounts
import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomStores
import CloakroomTokens
import HTTPTypes
import Testing

@testable import CloakroomEndpoints

/// Sends every endpoint of the service API requests of each kind, over a socket, and compares the responses with the
/// declared ones.
@Suite struct ServiceEndpointTests {
    /// Denials that need a failing store or a malformed head.
    private static let undriven = Set(Denials.everyConnection.descriptions.keys).union([.unavailable, .loginHostOnly])
        .subtracting([.invalidRequest, .misdirectedRequest])

    @Test(
        "an endpoint of the service API answers what it declares, and each denial that it declares comes about",
        arguments: Endpoint.all.filter(\.isService).map(\.operation.id))
    func declared(_ id: String) async throws {
        let endpoint = try #require(Endpoint.all.first { $0.operation.id == id })
        let world = try await ServiceAPIWorld()
        let answers = Collected<RawConnection.Answer>()
        try await world.server.runPrivately { port in
            for request in try await world.requests(to: endpoint) {
                answers.append(contentsOf: try await RawConnection.converse([request], port: port))
            }
            try await world.sendForEndedSessions(to: endpoint) { request in
                answers.append(contentsOf: try await RawConnection.converse([request], port: port))
            }
        }
        let declared = Set(endpoint.denials.descriptions.keys)
        let denied = Set(answers.values.compactMap(\.denial))
        #expect(denied.subtracting(declared) == [], "answered, and not declared")
        // Endpoints without fields have no request that is malformed but for its head.
        let headOnly: Set<Denial.Kind> =
            endpoint.operation.denials.descriptions[.invalidRequest] == nil
                && endpoint.fields.isEmpty ? [.invalidRequest] : []
        let other: Set<Denial.Kind> = endpoint.fields.contains { $0.name == "browser" } ? [] : [.misdirectedRequest]
        #expect(declared.subtracting(denied).subtracting(Self.undriven).subtracting(headOnly).subtracting(other) == [])
        let statuses = Set(endpoint.answers.map(\.status.code))
        #expect(answers.values.contains { $0.denial == nil }, "it never answers")
        for answer in answers.values where answer.denial == nil {
            #expect(statuses.contains(answer.status), "\(answer)")
        }
        for answer in answers.values { #expect(answer.header("Cache-Control") == "no-store", "\(answer)") }
    }

    @Test("a path with a parameter in its middle is found by its exact bytes")
    func paths() {
        let table = EndpointTable(Endpoint.all) { $0.privately }
        for (path, expected, parameter) in [
            ("/service/subjects/a:b/sessions", "/service/subjects/{subject}/sessions", "a:b"),
            ("/service/subjects/a%3Ab", "/service/subjects/{subject}", "a:b"),
            ("/service/sessions/x/step-up", "/service/sessions/{sid}/step-up", "x"),
            ("/service/sessions/x", "/service/sessions/{sid}", "x"),
        ] {
            let match = table.match(path)
            #expect(match?.path == expected && match?.parameter == parameter, "\(path)")
        }
        for path in [
            "/service/subjects//sessions", "/service/subjects/sessions/", "/service/subjects/a/b/sessions",
            "/service/subjects/a/Sessions", "/service/sessions/x/step-up/", "/service/sessions//step-up",
            "/service/sessions/a%41", "/service/subjects/%zz",
        ] { #expect(table.match(path) == nil, "\(path)") }
    }
}

extension RawConnection.Answer {
    fileprivate var denial: Denial.Kind? {
        let code = try? JSONReader.read(Array(body.utf8)).objectValue?["code"]?.stringValue
        return code.flatMap { Denial.Kind(rawValue: $0) }
    }
}

/// A server with credentials of every kind, and a browser with a session that a backend began.
struct ServiceAPIWorld: Sendable {
    let server: TestServer
    private let credential: ServiceCredential
    private let key: String
    private let weakKey: String
    private let foreignKey: String

    init() async throws {
        let server = try TestServer { $0.claims = ["roles"] }
        self.server = server
        func add(_ scopes: Set<ServiceScope>, prefix: String? = nil) async throws -> String {
            try await server.server.backends.addCredential(.init(scopes: scopes, subjectPrefix: prefix), lifetime: nil)
                .key.text
        }
        let all = ServiceCredential.Rights(scopes: Set(ServiceScope.allCases))
        let added = try await server.server.backends.addCredential(all, lifetime: nil)
        (credential, key) = (added.credential, added.key.text)
        weakKey = try await add([])
        foreignKey = try await add(Set(ServiceScope.allCases), prefix: "other:")
    }

    /// Begins a session of the subject 42.
    /// - Returns: its id, and the value of its cookie.
    private func begin() async throws -> (id: String, cookie: String) {
        let (sessions, backends) = (server.server.sessions, server.server.backends)
        let proof = try backends.prove(
            Subject("42"), BackendAuthentication(methods: ["pwd"], level: .singleFactor), by: credential)
        let grant = try await sessions.begin(
            proof, sessions.request(device: Device(userAgent: "Test/1.0", address: "192.0.2.1")))
        let tokens = try #require(grant.tokens)
        return (
            grant.session.id.rawValue, SessionTokens.join(access: tokens.access.token, refresh: tokens.refresh)
        )
    }

    /// One request of each kind that does not depend on the state of a session, the valid one first.
    func requests(to endpoint: Endpoint) async throws -> [String] {
        let session = try await begin()
        let good = fields(of: endpoint, cookie: session.cookie)
        func request(
            _ key: String?, _ body: JSONObject? = nil, parameter: String? = nil, _ headers: [String] = []
        ) -> String {
            text(endpoint, key: key, body ?? good, parameter: parameter ?? session.id, headers)
        }
        var requests = [
            request(self.key), request(nil), request("wrong"), request(weakKey), request(foreignKey),
            request(self.key, nil, ["Origin: http://localhost"]), request(self.key, nil, ["Sec-Fetch-Site: none"]),
        ]
        if !endpoint.fields.isEmpty {
            var wrong = JSONObject()
            for field in endpoint.fields { wrong[field.name] = ["wrong"] }
            requests.append(request(self.key, wrong))
        }
        if case .json? = endpoint.place {
            var large = good
            large["padding"] = .string(String(repeating: "x", count: Call.maximumBody))
            requests += [request(self.key, large), request(self.key, nil, ["Content-Type: text/plain"])]
        }
        for change in [("origin", "https://evil.example"), ("host", "evil.example")] as [(String, JSONValue)] {
            guard var browser = good["browser"]?.objectValue else { continue }
            browser[change.0] = change.1
            var body = good
            body["browser"] = .object(browser)
            requests.append(request(self.key, body))
        }
        if endpoint.operation.parameter?.pattern != nil { requests.append(request(self.key, parameter: "a%20b")) }
        return requests + (0..<25).map { _ in request("wrong") }
    }

    /// Sends requests for which a session has ended in each way, or its subject is blocked.
    func sendForEndedSessions(
        to endpoint: Endpoint, _ send: (String) async throws -> Void
    ) async throws {
        func request(_ session: (id: String, cookie: String)) -> String {
            text(endpoint, key: key, fields(of: endpoint, cookie: session.cookie), parameter: session.id, [])
        }
        let sessions = server.server.sessions
        if endpoint.operation.id == "stepUpServiceSession" {
            let (reused, expired) = (try await begin(), try await begin())
            try await rotateTwice(reused.cookie)
            try await send(request(reused))
            try await send(request(reused))
            server.advance(.days(40))
            try await send(request(expired))
        }
        if endpoint.operation.id == "beginServiceSession" {
            try await sessions.setBlocked(true, Subject("42"), by: credential.id)
            try await send(request(("", "")))
        }
    }

    /// Renews a session until its first refresh token is spent.
    private func rotateTwice(_ cookie: String) async throws {
        var text = String(cookie.drop { $0 != "~" }.dropFirst())
        let sessions = server.server.sessions
        for _ in 0..<2 {
            server.advance(.minutes(1))
            let token = try sessions.read(refreshToken: Array(text.utf8), at: .login)
            let grant = try await sessions.refresh(token, presenting: nil, from: .cookie)
            text = String(decoding: try #require(grant.tokens).refresh.bytes, as: UTF8.self)
            server.advance(.minutes(1))
            _ = try await sessions.refresh(
                sessions.read(refreshToken: Array(text.utf8), at: .login), presenting: nil, from: .cookie)
        }
        server.advance(.minutes(1))
    }

    private func fields(of endpoint: Endpoint, cookie: String) -> JSONObject {
        var fields = endpoint.example
        if fields["browser"] != nil {
            fields["browser"] = [
                "method": "POST", "host": "localhost", "origin": "http://localhost",
                "cookie": .string("\(SessionCookie.defaultName)=\(cookie)"),
            ]
        }
        return fields
    }

    private func text(
        _ endpoint: Endpoint, key: String?, _ fields: JSONObject, parameter: String, _ more: [String]
    ) -> String {
        // The stream never ends, so its head alone is read.
        let method =
            endpoint.operation.id == "streamRevocations" && key == self.key && more.isEmpty ? .head : endpoint.method
        let isSubject = endpoint.operation.parameter?.pattern != nil && !parameter.contains("%")
        var path = endpoint.paths(naming: isSubject ? "42" : parameter)[0]
        var lines = ["Host: localhost"] + more
        if let key { lines.append("Authorization: Bearer \(key)") }
        var body = ""
        switch endpoint.place {
        case .json, .jsonOrForm:
            body = String(decoding: JSONValue.object(fields).serialized, as: UTF8.self)
            if !more.contains(where: { $0.hasPrefix("Content-Type") }) {
                lines.append("Content-Type: application/json")
            }
        case .query:
            let query = fields.members.map { "\($0.name)=\($0.value.stringValue ?? "100")" }
            if fields.members.contains(where: { $0.value.arrayValue != nil }) {
                path += "?limit=wrong&after=&except=\(String(repeating: "x", count: 300))"
            } else if endpoint.operation.id != "listSubjectSessions" {
                path += "?" + query.joined(separator: "&")
            }
        case nil: break
        }
        if method != .get, method != .head { lines.append("Content-Length: \(body.utf8.count)") }
        return "\(method.rawValue) \(path) HTTP/1.1\r\n\(lines.joined(separator: "\r\n"))\r\n\r\n\(body)"
    }
}
