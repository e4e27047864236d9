import CloakroomCore
import CloakroomTokens
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import CloakroomMiddleware

/// Item 22: errors become responses inside the middleware whose headers every response needs.
@Suite struct ErrorAnswerTests {
    private struct Failure: Error {}

    private struct OwnAnswer: Error, HTTPResponseError {
        var status: HTTPResponse.Status { .conflict }
        func response(from request: Request, context: some RequestContext) throws -> Response {
            Response(status: status, headers: [.known("X-Own"): "yes"])
        }
    }

    /// The outermost middleware, such as request metrics: it must see responses and no errors.
    private struct Outermost: RouterMiddleware {
        let seen: Recorder
        func handle(
            _ request: Request, context: BasicRequestContext,
            next: (Request, BasicRequestContext) async throws -> Response
        ) async throws -> Response {
            do {
                let response = try await next(request, context)
                seen.append("\(response.status.code)")
                return response
            } catch {
                seen.append("error")
                throw error
            }
        }
    }

    private static let origin = "https://front.example"

    static let errors: [(error: any Error, status: Int, code: String?)] = [
        (Denial.sessionMissing, 401, "session_missing"), (Denial.crossSiteRequest, 403, "cross_site_request"),
        (HTTPError(.notFound), 404, "not_found"), (HTTPError(.contentTooLarge), 413, "content_too_large"),
        (HTTPError(.unsupportedMediaType), 415, "unsupported_media_type"),
        (HTTPError(.badRequest), 400, "invalid_request"),
        (HTTPError(.requestHeaderFieldsTooLarge), 431, "head_too_large"),
        (HTTPError(.conflict), 409, "http_409"), (HTTPError(.internalServerError), 500, "http_500"),
        (Failure(), 500, "http_500"), (OwnAnswer(), 409, nil),
    ]

    @Test("an error becomes a problem response with security headers and CORS, and is counted", arguments: errors)
    func answered(_ row: (error: any Error, status: Int, code: String?)) async throws {
        let seen = Recorder()
        let router = Router()
        router.add(middleware: Outermost(seen: seen))
        router.add(middleware: SecurityHeaders(demandsTLS: true))
        let origins = [try #require(OriginPattern(parsing: Self.origin))]
        router.add(middleware: CrossOriginSharing(OriginPolicy(ownOrigin: nil, trustedOrigins: Set(origins))))
        router.add(middleware: ProblemMiddleware())
        router.get("/fails") { _, _ -> Response in throw row.error }
        try await Application(router: router).test(.router) { client in
            try await client.execute(uri: "/fails", method: .get, headers: [.origin: Self.origin]) { answer in
                #expect(answer.status.code == row.status)
                #expect(answer.headers[.xContentTypeOptions] == "nosniff")
                #expect(
                    answer.headers[.contentSecurityPolicy] != nil && answer.headers[.strictTransportSecurity] != nil)
                #expect(answer.headers[.accessControlAllowOrigin] == Self.origin)
                #expect(answer.headers[.setCookie] == nil)
                guard let code = row.code else { return }
                #expect(answer.headers[.contentType] == "application/problem+json")
                let body = try JSONReader.read(Array(answer.body.readableBytesView)).objectValue
                #expect(body?["code"] == .string(code) && body?["status"] == .integer(Int64(row.status)))
            }
        }
        #expect(seen.values == ["\(row.status)"])
    }

    @Test("a path without a route gets a problem response")
    func noRoute() async throws {
        let router = Router()
        router.add(middleware: SecurityHeaders(demandsTLS: false))
        router.add(middleware: ProblemMiddleware())
        try await Application(router: router).test(.router) { client in
            try await client.execute(uri: "/nothing", method: .get) { answer in
                #expect(answer.status == .notFound && answer.headers[.contentType] == "application/problem+json")
                #expect(answer.headers[.contentSecurityPolicy] != nil)
            }
        }
    }

    @Test("no response to HEAD has a body, also if it is a refusal or a failure", arguments: errors)
    func head(_ row: (error: any Error, status: Int, code: String?)) async throws {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: BodilessHead())
        router.add(middleware: ProblemMiddleware())
        router.get("/fails") { _, _ -> Response in throw row.error }
        router.get("/works") { _, _ in "a body" }
        try await Application(router: router).test(.router) { client in
            for path in ["/fails", "/works", "/nothing"] {
                try await client.execute(uri: path, method: .head) { answer in
                    #expect(answer.body.readableBytes == 0, "\(path)")
                    if path == "/fails" { #expect(answer.status.code == row.status) }
                }
            }
        }
    }
}
