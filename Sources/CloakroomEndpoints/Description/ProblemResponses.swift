import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import Hummingbird

/// The problem responses of the OpenAPI document. Equal responses stand once, under `components/responses`.
struct ProblemResponses {
    /// The responses by name, in the order in which they were added.
    private(set) var named = JSONObject()

    typealias Described = (kind: Denial.Kind, description: Denials.Description)

    /// The responses to an operation with these denials, by status.
    mutating func responses(of denials: Denials) -> [Int: JSONObject] {
        let all = Denial.Kind.allCases.compactMap { kind in
            denials.descriptions[kind].map { Described(kind: kind, description: $0) }
        }
        var responses: [Int: JSONObject] = [:]
        // Sorted, so that every process names the responses alike and serves the same bytes.
        for (status, denials) in Dictionary(grouping: all, by: \.kind.status.code).sorted(by: { $0.key < $1.key }) {
            responses[status] = reference(to: denials)
        }
        return responses
    }

    /// Returns a reference to the response with these denials, and adds it if it is new. Its name comes from the
    /// status, with a number if several differ.
    private mutating func reference(to denials: [Described]) -> JSONObject {
        let response = JSONValue.object(Self.response(denials))
        let phrase = denials[0].kind.status.reasonPhrase.filter(\.isLetter)
        var name = phrase
        var number = 1
        while let other = named[name], other != response {
            number += 1
            name = "\(phrase)\(number)"
        }
        if named[name] == nil { named[name] = response }
        return ["$ref": .string("#/components/responses/\(name)")]
    }

    /// - Parameter denials: one or more denials with the same status.
    static func response(_ denials: [Described]) -> JSONObject {
        let codes = denials.map(\.kind.rawValue)
        let texts = denials.map(\.description.text).joined(separator: " ")
        var examples = JSONObject()
        for kind in denials.map(\.kind) { examples[kind.rawValue] = ["value": kind.body] }
        var response: JSONObject = [
            "description": .string("\(texts) Codes: \(codes.map { "`\($0)`" }.joined(separator: ", ")).")
        ]
        let headers = denials.flatMap { $0.kind.headers + $0.description.headers }
        if !headers.isEmpty { response["headers"] = .object(headers.document) }
        var schema = Self.schema.reference
        schema["properties"] = ["code": ["enum": .array(codes.map { .string($0) })]]
        response["content"] = [
            "application/problem+json": ["schema": .object(schema), "examples": .object(examples)]
        ]
        return response
    }

    /// The schema of the JSON that `ProblemAnswer` writes.
    static let schema = NamedSchema(
        name: "Problem",
        document: [
            "type": "object", "required": ["type", "title", "status", "code"],
            "properties": [
                "type": ["type": "string", "format": "uri"], "title": ["type": "string"],
                "status": ["type": "integer"],
                "code": ["type": "string", "enum": .array(Denial.Kind.allCases.map { .string($0.rawValue) })],
                "errors": [
                    "type": "object", "additionalProperties": ["type": "string"],
                    "description": "With invalid_request: what is wrong with each field.",
                ],
                "max_age": [
                    "type": "integer", "minimum": 0,
                    "description":
                        "With insufficient_user_authentication: the oldest auth_time accepted, in seconds.",
                ],
                "acr_values": [
                    "type": "string", "description": "With insufficient_user_authentication: the levels accepted.",
                ],
            ],
        ])
}

extension Denials.Description {
    init(_ kind: Denial.Kind) {
        self.init(text: kind.reason)
    }
}

extension Denial.Kind {
    private var answer: Response { example.problem.response }

    fileprivate var status: HTTPResponse.Status { answer.status }

    /// The headers that the response always has, besides those of every problem.
    fileprivate var headers: [AnswerHeader] {
        let all = [AnswerHeader.wwwAuthenticate, .retryAfter, .allow]
        let names = Set(answer.headers.map(\.name.canonicalName))
        return all.filter { names.contains($0.name.lowercased()) }
    }

    fileprivate var body: JSONValue {
        (try? JSONReader.read(example.problem.bytes.body)) ?? .null
    }
}
