import CloakroomTokens
import HTTPTypes

/// What the OpenAPI document says about one method of one path, and what the router finds it by.
struct Operation: Sendable {
    let method: HTTPRequest.Method
    /// Absolute; the name of `parameter` in braces at the end stands for one segment.
    let path: String
    /// `operationId`: what generated clients call it.
    let id: String
    let summary: String
    let details: String?
    let tag: Tag
    let parameter: PathParameter?
    let security: Security
    /// Request headers that are parameters of the endpoint itself.
    let headers: [HeaderParameter]
    let answers: [Answer]
    /// Besides those that every endpoint may answer.
    let denials: Denials
    /// Whether every method is taken for `method`.
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

    /// The groups of the document, in its order.
    enum Tag: String, CaseIterable, Sendable {
        case sessions = "Sessions"
        case resources = "Resources"
        case operations = "Operations"
        case pages = "Pages"
        case privateListener = "Private listener"
    }

    /// The credentials that an operation takes.
    enum Security: Sendable {
        case none, session, sessionIfAny, cookieIfAny
    }

    struct HeaderParameter: Sendable {
        let name: String
        let help: String
    }
}

/// The last segment of a path that stands for several.
struct PathParameter: Sendable {
    let name: String
    /// Every value that there is; nil for any identifier.
    var values: [String]?

    var placeholder: String { "{\(name)}" }

    func accepts(_ text: String) -> Bool {
        if let values { values.contains(text) } else { Self.isIdentifier(text) }
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
