import CloakroomCore
import HTTPTypes

/// A successful response of an endpoint.
struct Answer: Sendable {
    let status: HTTPResponse.Status
    let description: String
    /// One per media type; empty where the response has no body.
    let content: [Content]
    let headers: [AnswerHeader]

    init(
        _ status: HTTPResponse.Status, _ description: String, _ content: Content..., headers: [AnswerHeader] = []
    ) {
        self.init(status, description, content: content, headers: headers)
    }

    init(_ status: HTTPResponse.Status, _ description: String, content: [Content], headers: [AnswerHeader]) {
        self.status = status
        self.description = description
        self.content = content
        self.headers = headers
    }

    /// A body in one media type.
    struct Content: Sendable {
        let type: String
        let schema: JSONObject
        let named: [NamedSchema]
        /// nil for a body that is not JSON.
        let example: JSONValue?

        static func json<Value>(_ schema: Schema<Value>) -> Content {
            Content(
                type: "application/json", schema: schema.document, named: schema.named, example: schema.example)
        }

        static func text(_ type: String) -> Content {
            Content(type: type, schema: ["type": "string"], named: [], example: nil)
        }
    }
}

/// A response header, besides those that every response has.
struct AnswerHeader: Hashable, Sendable {
    let name: String
    let help: String
    /// Whether each response of this kind has it.
    var isAlways = true
    var schema: JSONObject = ["type": "string"]
}

extension AnswerHeader {
    /// Only when the response carries renewed tokens, and never for a client with body delivery.
    static let sessionCookie = AnswerHeader(
        name: "Set-Cookie",
        help:
            "`__Host-Http-session=<access token>~<refresh token>; Path=/; Secure; HttpOnly; SameSite=Lax[; Max-Age=N]`",
        isAlways: false)

    static let expiredCookie = AnswerHeader(name: "Set-Cookie", help: "The cookie, empty, with `Max-Age=0`.")

    /// Only when a hand-over starts.
    static let flowCookie = AnswerHeader(
        name: "Set-Cookie",
        help: "`__Host-Http-session-flow=<secret>; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600`",
        isAlways: false)

    static let eTag = AnswerHeader(name: "ETag", help: "For `If-None-Match`.")

    static let retryAfter = AnswerHeader(
        name: "Retry-After", help: "Seconds.", schema: ["type": "integer", "minimum": 1])

    static let wwwAuthenticate = AnswerHeader(name: "WWW-Authenticate", help: "RFC 6750, RFC 9470.")

    static let allow = AnswerHeader(name: "Allow", help: "The methods that the path has.")

    static func location(_ help: String) -> AnswerHeader {
        AnswerHeader(name: "Location", help: help)
    }
}
