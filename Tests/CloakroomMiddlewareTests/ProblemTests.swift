import CloakroomCore
import CloakroomTokens
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import CloakroomMiddleware

@Suite struct ProblemTests {
    /// Every denial with the status of the contract.
    static let table: [(Denial, Int)] = [
        (.invalidRequest(fields: ["email": "is missing"]), 400), (.unsupportedMediaType, 415), (.contentTooLarge, 413),
        (.crossSiteRequest, 403), (.invalidCredentials, 401), (.sessionMissing, 401), (.tokenInvalid, 401),
        (.tokenExpired, 401), (.sessionExpired, 401), (.sessionRevoked, 401), (.refreshTokenReused, 401),
        (.bindingRequired, 401),
        (.insufficientUserAuthentication(.init(maximumAge: .seconds(60), acceptedLevels: ["2"])), 401),
        (.rateLimited(retryAfter: .seconds(7)), 429), (.accountExists, 409), (.misdirectedRequest, 421),
        (.serviceWorkerRefused, 403), (.notFound, 404), (.headTooLarge, 431), (.requestTimeout, 408),
        (.stepUpUnavailable, 403),
        (.methodNotAllowed(allow: ["GET", "HEAD"]), 405),
        (.unavailable(retryAfter: .seconds(2)), 503),
    ]

    private func body(_ response: Response) async throws -> JSONObject {
        let writer = CollectedBody()
        try await response.body.write(writer)
        return try #require(try JSONReader.read(Array(writer.buffer.readableBytesView)).objectValue)
    }

    @Test("every denial is an RFC 9457 problem with its status and code, and sets no cookie", arguments: table)
    func problem(_ denial: Denial, _ status: Int) async throws {
        let response = denial.problem.response
        let body = try await body(response)
        #expect(response.status.code == status)
        #expect(body["status"] == .integer(Int64(status)))
        #expect(body["code"] == .string(denial.code))
        #expect(body["type"]?.stringValue?.isEmpty == false)
        #expect(body["title"]?.stringValue?.isEmpty == false)
        #expect(response.headers[.contentType] == "application/problem+json")
        #expect(response.headers[.cacheControl] == "no-store")
        #expect(response.headers[.setCookie] == nil)
    }

    @Test("every 401 carries a challenge (RFC 6750 section 3)", arguments: table.filter { $0.1 == 401 })
    func challenge(_ denial: Denial, _ status: Int) {
        let challenge = denial.problem.response.headers[.wwwAuthenticate] ?? ""
        #expect(challenge.hasPrefix("Bearer realm=\"cloakroom\""))
        let isBare = denial == .sessionMissing || denial == .invalidCredentials
        #expect(challenge.contains("error=") == !isBare)
    }

    @Test("a step-up challenge names the accepted level and age, in header and body (RFC 9470)")
    func stepUp() async throws {
        let denial = Denial.insufficientUserAuthentication(.init(maximumAge: .seconds(60), acceptedLevels: ["2"]))
        let response = denial.problem.response
        let header = response.headers[.wwwAuthenticate] ?? ""
        #expect(header.contains("error=\"insufficient_user_authentication\""))
        #expect(header.contains("max_age=\"60\""))
        #expect(header.contains("acr_values=\"2\""))
        let body = try await body(response)
        #expect(body["max_age"] == 60)
        #expect(body["acr_values"] == "2")
    }

    @Test("503 and 429 have Retry-After, and 405 has Allow")
    func hints() {
        #expect(Denial.rateLimited(retryAfter: .seconds(7)).problem.response.headers[.retryAfter] == "7")
        #expect(Denial.unavailable(retryAfter: .zero).problem.response.headers[.retryAfter] == "1")
        #expect(Denial.methodNotAllowed(allow: ["GET", "HEAD"]).problem.response.headers[.allow] == "GET, HEAD")
    }

    @Test("the response as bytes equals the response of the framework", arguments: table)
    func bytes(_ denial: Denial, _ status: Int) async throws {
        let (code, fields, body) = denial.problem.bytes
        let response = denial.problem.response
        let expected = response.headers.filter { $0.name != .contentLength }.map {
            "\($0.name.canonicalName): \($0.value)"
        }
        #expect(code == status)
        #expect(Set(fields.map { "\($0.0.lowercased()): \($0.1)" }) == Set(expected))
        #expect(try await self.body(response) == JSONReader.read(body).objectValue)
    }

    @Test("Retry-After is in whole seconds, rounded up")
    func roundedUp() {
        let denial = Denial.unavailable(retryAfter: Span(milliseconds: 29_001))
        #expect(denial.problem.response.headers[.retryAfter] == "30")
    }

    @Test("errors names the wrong fields")
    func fields() async throws {
        let body = try await body(Denial.invalidRequest(fields: ["email": "is missing"]).problem.response)
        #expect(body["errors"] == ["email": "is missing"])
    }
}

private final class CollectedBody: ResponseBodyWriter {
    var buffer = ByteBuffer()

    func write(_ buffer: ByteBuffer) async throws {
        var buffer = buffer
        self.buffer.writeBuffer(&buffer)
    }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
