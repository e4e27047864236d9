import CloakroomMiddleware
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@Suite struct SecurityHeadersTests {
    private func headers(of set: HTTPFields, demandsTLS: Bool = false) async throws -> HTTPFields {
        let router = Router()
        router.add(middleware: SecurityHeaders(demandsTLS: demandsTLS))
        router.get("/") { _, _ in Response(status: .ok, headers: set) }
        return try await Application(router: router).test(.router) { client in
            try await client.execute(uri: "/", method: .get) { $0.headers }
        }
    }

    private func values(_ name: String, in headers: HTTPFields) throws -> [String] {
        headers[values: try #require(HTTPField.Name(name))]
    }

    @Test(
        "each header is present once",
        arguments: [
            ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "same-origin"),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
            ("Cross-Origin-Resource-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"),
        ])
    func present(_ name: String, _ value: String) async throws {
        #expect(try values(name, in: try await headers(of: [:])) == [value])
        #expect(try values(name, in: try await headers(of: [.contentType: "text/html"])) == [value])
    }

    @Test("Strict-Transport-Security is sent only with an https public URL", arguments: [true, false])
    func transport(_ demandsTLS: Bool) async throws {
        let values = try values("Strict-Transport-Security", in: try await headers(of: [:], demandsTLS: demandsTLS))
        #expect(values == (demandsTLS ? ["max-age=31536000; includeSubDomains"] : []))
    }

    @Test(
        "a script's policy restricts nothing that a worker needs",
        arguments: ["text/javascript", "application/javascript; charset=utf-8"])
    func script(_ type: String) async throws {
        let policy = try values("Content-Security-Policy", in: try await headers(of: [.contentType: type]))
        #expect(policy == ["frame-ancestors 'none'; base-uri 'none'"])
    }

    @Test("headers of a route are kept, except X-Content-Type-Options")
    func set() async throws {
        let set: HTTPFields = [
            .contentSecurityPolicy: "default-src 'self'", .strictTransportSecurity: "max-age=1",
            .xContentTypeOptions: "guess",
        ]
        let headers = try await headers(of: set, demandsTLS: true)
        #expect(try values("Content-Security-Policy", in: headers) == ["default-src 'self'"])
        #expect(try values("Strict-Transport-Security", in: headers) == ["max-age=1"])
        #expect(try values("X-Content-Type-Options", in: headers) == ["nosniff"])
    }
}
