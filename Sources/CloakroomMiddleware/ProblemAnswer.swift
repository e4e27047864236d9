import CloakroomCore
import CloakroomTokens
import HTTPTypes
public import Hummingbird
import NIOCore

/// An RFC 9457 problem as an HTTP answer. It never carries a `Set-Cookie`.
package struct ProblemAnswer: Sendable {
    static let contentType = "application/problem+json"

    let status: HTTPResponse.Status
    let title: String
    let code: String
    var members = JSONObject()
    var headers = HTTPFields()

    /// The answer itself. It goes to nobody's cache and fits no other context than the one it was asked for in.
    package var response: Response {
        var body: JSONObject = [
            "type": .string("urn:cloakroom:problem:\(code)"), "title": .string(title),
            "status": .integer(Int64(status.code)), "code": .string(code),
        ]
        for member in members.members { body[member.name] = member.value }
        var headers = headers
        headers[.contentType] = Self.contentType
        headers[.cacheControl] = "no-store"
        return Response(
            status: status, headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: JSONValue.object(body).serialized)))
    }
}

/// Answers each `Denial` that is thrown behind it, and what the framework itself refuses.
public struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    /// Put it before everything that may throw a denial.
    public init() {}

    /// Answers what is thrown behind it.
    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let denial as Denial {
            return denial.problem.response
        } catch let error as HTTPError {
            return Denial(error).map(\.problem.response) ?? ProblemAnswer(error).response
        }
    }
}

extension Denial {
    fileprivate init?(_ error: HTTPError) {
        switch error.status {
        case .notFound: self = .notFound
        case .contentTooLarge: self = .contentTooLarge
        case .unsupportedMediaType: self = .unsupportedMediaType
        case .badRequest: self = .invalidRequest(fields: [:])
        default: return nil
        }
    }
}

extension ProblemAnswer {
    fileprivate init(_ error: HTTPError) {
        self.init(status: error.status, title: error.status.reasonPhrase, code: "http_\(error.status.code)")
    }
}
