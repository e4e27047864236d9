import CloakroomCore
import CloakroomMiddleware
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@Suite struct CrossOriginSharingTests {
    private static let trusted = "https://front.example"
    private static let patterns = [trusted, "https://*.preview.example", "capacitor://localhost"]

    private func send(_ method: HTTPRequest.Method, _ headers: HTTPFields) async throws -> TestResponse {
        let router = Router()
        let origins = try Self.patterns.map { try #require(OriginPattern(parsing: $0)) }
        router.add(middleware: CrossOriginSharing(OriginPolicy(ownOrigin: nil, trustedOrigins: Set(origins))))
        router.get("/") { _, _ in Response(status: .ok, headers: [.vary: "Accept"]) }
        return try await Application(router: router).test(.router) { client in
            try await client.execute(uri: "/", method: method, headers: headers) { $0 }
        }
    }

    private static let asked: HTTPField.Name = .accessControlRequestHeaders

    @Test(
        "a trusted origin's preflight allows the headers that it asks for, by name",
        arguments: [
            "content-type", "traceparent,tracestate,baggage", "X-Anything, content-type", "sentry-trace",
            "x-datadog-trace-id, x-b3-traceid, b3", "baggage,sentry-trace,traceparent,tracestate",
        ])
    func echo(_ names: String) async throws {
        let answer = try await send(
            .options, [.origin: Self.trusted, .accessControlRequestMethod: "POST", Self.asked: names])
        #expect(answer.status == .noContent)
        #expect(answer.headers[.accessControlAllowHeaders] == names)
        #expect(answer.headers[.accessControlAllowOrigin] == Self.trusted)
        #expect(answer.headers[.accessControlAllowCredentials] == "true")
        #expect(answer.headers[.accessControlAllowMethods]?.contains("DELETE") == true)
        #expect(answer.headers[.vary] == "Origin")
    }

    @Test(
        "the response names the origin of the request, not the pattern that trusts it",
        arguments: ["https://pr-1.preview.example", "https://pr-2.preview.example", "capacitor://localhost"])
    func exactOrigin(_ origin: String) async throws {
        let preflight = try await send(.options, [.origin: origin, .accessControlRequestMethod: "POST"])
        let plain = try await send(.get, [.origin: origin])
        #expect(preflight.status == .noContent && plain.status == .ok)
        for answer in [preflight, plain] {
            #expect(answer.headers[.accessControlAllowOrigin] == origin)
            #expect(answer.headers[.vary]?.contains("Origin") == true)
        }
    }

    @Test("a preflight that asks for no headers is allowed the usual ones")
    func nothingAsked() async throws {
        let answer = try await send(.options, [.origin: Self.trusted, .accessControlRequestMethod: "GET"])
        #expect(answer.headers[.accessControlAllowHeaders] == "Content-Type, Authorization")
    }

    @Test(
        "an origin that only resembles a trusted one gets no CORS headers and no preflight response",
        arguments: [
            "https://front.example.evil", "http://front.example", "https://front.example:444", "null",
            "https://FRONT.example", "https://front.example/", "https://sub.front.example", "", "*",
            "https://preview.example", "https://a.b.preview.example", "https://*.preview.example",
            "https://a.preview.example:444", "capacitor://localhost:1", "capacitor://other",
        ])
    func others(_ origin: String) async throws {
        let preflight = try await send(
            .options, [.origin: origin, .accessControlRequestMethod: "POST", Self.asked: "x-steal"])
        #expect(preflight.status == .notFound)
        let plain = try await send(.get, [.origin: origin])
        #expect(plain.status == .ok)
        for answer in [preflight, plain] {
            #expect(answer.headers.allSatisfy { !$0.name.canonicalName.hasPrefix("access-control-") })
        }
        #expect(plain.headers[.vary] == "Accept, Origin", "a cache must distinguish the origins")
    }

    @Test("OPTIONS without a requested method is not a preflight")
    func options() async throws {
        let answer = try await send(.options, [.origin: Self.trusted])
        #expect(answer.status == .notFound && answer.headers[.accessControlAllowMethods] == nil)
    }
}
