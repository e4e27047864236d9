import CloakroomCore
import CloakroomTokens
import HTTPTypes
package import Hummingbird
package import Logging
import NIOCore

/// An RFC 9457 problem as an HTTP response. It has no `Set-Cookie`; only logout adds one, which expires the cookie.
package struct ProblemAnswer: Sendable {
    static let contentType = "application/problem+json"

    let status: HTTPResponse.Status
    let title: String
    let code: String
    var members = JSONObject()
    var headers = HTTPFields()

    /// The response as bytes, for handlers in front of the framework.
    package var bytes: (status: Int, fields: [(String, String)], body: [UInt8]) {
        let fields = [("Content-Type", Self.contentType), ("Cache-Control", "no-store")]
        return (status.code, fields + headers.map { ($0.name.rawName, $0.value) }, JSONValue.object(object).serialized)
    }

    /// The response for the framework, with `no-store`.
    package var response: Response {
        var headers = headers
        headers[.contentType] = Self.contentType
        headers[.cacheControl] = "no-store"
        return Response(
            status: status, headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: JSONValue.object(object).serialized)))
    }

    private var object: JSONObject {
        var object: JSONObject = [
            "type": .string("urn:cloakroom:problem:\(code)"), "title": .string(title),
            "status": .integer(Int64(status.code)), "code": .string(code),
        ]
        for member in members.members { object[member.name] = member.value }
        return object
    }
}

/// Turns every error of later handlers into a problem response: each `Denial`, errors of the framework, and failures.
package struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    private let log: DenialLog

    /// Add it before every handler that may throw, and after middleware that adds headers to every response.
    package init(logger: Logger = Logger(label: "cloakroom")) {
        self.init(logger: logger, describe: { _ in [:] })
    }

    /// - Parameter describe: more log metadata for a denied request.
    package init(logger: Logger, describe: @escaping @Sendable (Request) -> Logger.Metadata) {
        log = DenialLog(logger: logger, describe: describe)
    }

    /// Turns an error of `next` into a problem response.
    package func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let denial as Denial {
            return answer(denial, to: request)
        } catch let error as HTTPError {
            return Denial(error).map { answer($0, to: request) } ?? ProblemAnswer(error.status).response
        } catch let error as any HTTPResponseError {
            return try error.response(from: request, context: context)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            context.logger.error("a request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return ProblemAnswer(.internalServerError).response
        }
    }

    private func answer(_ denial: Denial, to request: Request) -> Response {
        log.write(denial, of: request)
        return denial.problem.response
    }
}

extension Denial {
    fileprivate init?(_ error: HTTPError) {
        switch error.status {
        case .notFound: self = .notFound
        case .contentTooLarge: self = .contentTooLarge
        case .unsupportedMediaType: self = .unsupportedMediaType
        case .badRequest: self = .invalidRequest(fields: [:])
        case .requestHeaderFieldsTooLarge: self = .headTooLarge
        default: return nil
        }
    }
}

extension ProblemAnswer {
    fileprivate init(_ status: HTTPResponse.Status) {
        self.init(status: status, title: status.reasonPhrase, code: "http_\(status.code)")
    }
}
