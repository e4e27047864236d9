import CloakroomTokens
import Foundation
import HTTPTypes

/// One method of one path: its description in the OpenAPI document, and the key by which the router finds it.
struct Operation: Sendable {
    let method: HTTPRequest.Method
    /// An absolute path; `{name}` of the parameter matches one segment.
    let path: String
    /// The `operationId`, which generated clients use as the function name.
    let id: String
    let summary: String
    let details: String?
    let tag: Tag
    let parameter: PathParameter?
    let security: Security
    /// Request headers that are parameters of the endpoint itself.
    let headers: [HeaderParameter]
    let answers: [Answer]
    /// Denials besides those that every endpoint has.
    let denials: Denials
    /// Whether the endpoint handles any method as `method`.
    let takesAnyMethod: Bool

    init(
        _ method: HTTPRequest.Method, _ path: String, _ id: String, _ summary: String, details: String? = nil,
        tag: Tag, parameter: PathParameter? = nil, security: Security = .none, headers: [HeaderParameter] = [],
        answers: [Answer], denials: Denials = [], takesAnyMethod: Bool = false
    ) {
        self.method = method
        self.path = path
        self.id = id
        self.summary = summary
        self.details = details
        self.tag = tag
        self.parameter = parameter
        self.security = security
        self.headers = headers
        self.answers = answers
        self.denials = denials
        self.takesAnyMethod = takesAnyMethod
    }

    /// The groups of the document, in their order.
    enum Tag: String, CaseIterable, Sendable {
        case sessions = "Sessions"
        case resources = "Resources"
        case operations = "Operations"
        case pages = "Pages"
        case hosts = "Several hosts"
        case privateListener = "Private listener"
        case service = "Service API"
    }

    /// The credentials that an operation accepts.
    enum Security: Sendable {
        case none, session, sessionIfAny, cookieIfAny, serviceKey
    }

    struct HeaderParameter: Sendable {
        let name: String
        let help: String
    }
}

/// The parameter in one segment of a path.
struct PathParameter: Sendable {
    let name: String
    /// The allowed values; nil for any identifier.
    var values: [String]?
    /// The pattern of a percent-decoded text, which the endpoint checks; nil for an identifier or one of the values.
    var pattern: String?

    var placeholder: String { "{\(name)}" }

    /// The value of a segment; nil if the path has no such resource.
    func value(of segment: String) -> String? {
        if pattern != nil { return segment.isEmpty || segment.contains("/") ? nil : segment.removingPercentEncoding }
        let isAccepted = if let values { values.contains(segment) } else { Self.isIdentifier(segment) }
        return isAccepted ? segment : nil
    }

    private static func isIdentifier(_ text: String) -> Bool {
        1...128 ~= text.utf8.count
            && text.utf8.allSatisfy { byte in
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                    || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
            }
    }
}
