import CloakroomCore
import Testing

@testable import CloakroomGateway
@testable import cloakroom

@Suite("The rules of the gateway in YAML")
struct RouteRulesTests {
    private static let upstream = #"upstream: "http://127.0.0.1:1""#

    @Test("each key of a rule sets what it names")
    func keys() throws {
        let rule = """
            - path: /api/*
              methods: [POST, PUT]
              access: step-up
              maxAge: 300
              acr: phr
              claims: {roles: editor}
              login: 401
              upstream: ["http://127.0.0.1:1", "unix:/run/app.sock"]
              healthPath: /health
              rewrite: /v2
              bearer: keep
              cookie: keep
              timeout: 0.5
              idleTimeout: 60
              maxBody: 1000
            """
        let route = try #require(try table(rule)?.routes.first)
        #expect(route.pattern.description == "/api/*" && route.methods == ["POST", "PUT"])
        #expect(route.access == .session(StepUp(maximumAge: .seconds(300), minimumLevel: .phishingResistant)))
        #expect(route.claims == ["roles": "editor"] && route.login == .unauthorized && route.keepsBearer)
        #expect(route.keepsCookie)
        #expect(route.upstream.addresses.map(\.description) == ["http://127.0.0.1:1", "unix:/run/app.sock"])
        #expect(route.upstream.healthPath == "/health")
        #expect(route.rewrite == PathRewrite(prefix: "/api", replacement: "/v2"))
        #expect(route.limits.response == Span(milliseconds: 500) && route.limits.idle == .seconds(60))
        #expect(route.limits.body == 1000)
    }

    @Test("an upstream alone demands a session on every path; nothing at all is no gateway")
    func upstreamAlone() throws {
        var settings = GatewaySettings()
        #expect(try RouteRules.table(settings)?.routes == nil)
        settings.upstream = [try #require(UpstreamAddress(parsing: "http://127.0.0.1:1"))]
        let route = try #require(try RouteRules.table(settings)?.routes.first)
        #expect(route.pattern.description == "/*" && route.access == .session(nil) && route.login == .redirect)
    }

    @Test(
        "a rule that cannot be used is refused, and the message names it and its key",
        arguments: [
            ("{}", "expected a list of rules"), ("[]", "expected a list of rules"),
            ("[a]", "rule 1: expected a mapping"),
            ("[{access: public, \(upstream)}]", "rule 1: path: expected"),
            ("[{path: a, access: public, \(upstream)}]", "rule 1: path: expected"),
            ("[{path: /a*, access: public, \(upstream)}]", "rule 1: path: expected"),
            ("[{path: /a, \(upstream)}]", "rule 1: access: expected public, session or step-up"),
            ("[{path: /a, access: open, \(upstream)}]", "rule 1: access: expected"),
            ("[{path: /a, access: step-up, \(upstream)}]", "rule 1: access: expected maxAge or acr"),
            ("[{path: /a, access: session, maxAge: 5, \(upstream)}]", "rule 1: access: expected step-up"),
            ("[{path: /a, access: step-up, maxAge: x, \(upstream)}]", "rule 1: maxAge: expected a number"),
            ("[{path: /a, access: step-up, acr: 9, \(upstream)}]", "rule 1: acr: expected"),
            ("[{path: /a, access: public, claims: {a: b}, \(upstream)}]", "rule 1: claims: expected access session"),
            ("[{path: /a, access: session, claims: [a], \(upstream)}]", "rule 1: claims: expected names"),
            ("[{path: /a, access: session, methods: [get], \(upstream)}]", "rule 1: methods: expected"),
            ("[{path: /a, access: session, login: maybe, \(upstream)}]", "rule 1: login: expected"),
            ("[{path: /a, access: session}]", "rule 1: has no upstream"),
            (#"[{path: /a, access: session, upstream: "ftp://a"}]"#, "rule 1: upstream: expected"),
            (#"[{path: /a, access: session, upstream: "http://a/path"}]"#, "rule 1: upstream: expected"),
            ("[{path: /a, access: session, rewrite: /b, \(upstream)}]", "rule 1: rewrite: expected"),
            ("[{path: /a, access: session, timeout: 0, \(upstream)}]", "rule 1: timeout: expected"),
            ("[{path: /a, access: session, typo: 1, \(upstream)}]", "rule 1: typo is not a key"),
            (
                "[{path: /*, access: public, \(upstream)}, {path: /a, access: session, \(upstream)}]",
                "rule 2 (/a) can never match"
            ),
            ("path: [", "is not YAML"),
        ])
    func refused(_ yaml: String, _ message: String) {
        let error = #expect(throws: RouteRules.Unusable.self) { try table(yaml) }
        #expect(error?.problem.contains(message) == true, "\(error?.problem ?? "")")
    }

    private func table(_ yaml: String) throws -> RouteTable? {
        var settings = GatewaySettings()
        settings.routes = yaml
        return try RouteRules.table(settings)
    }
}
