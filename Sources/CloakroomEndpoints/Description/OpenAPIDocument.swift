import CloakroomCore
import CloakroomTokens
import HTTPTypes

/// The OpenAPI 3.1 document, generated from the descriptions of the endpoints.
struct OpenAPIDocument {
    private var paths = JSONObject()
    private var schemas = JSONObject()
    private var problems = ProblemResponses()

    static func of(_ endpoints: [Endpoint]) -> JSONObject {
        var document = OpenAPIDocument()
        for endpoint in endpoints { document.add(endpoint) }
        return document.object
    }

    private mutating func add(_ endpoint: Endpoint) {
        let operation = endpoint.operation
        var item = paths[operation.path]?.objectValue ?? [:]
        item[operation.method.rawValue.lowercased()] = .object(describe(endpoint))
        paths[operation.path] = .object(item)
    }

    private var object: JSONObject {
        let methodNotAllowed = ProblemResponses.response([(.methodNotAllowed, .init(.methodNotAllowed))])
        var responses = problems.named
        responses["MethodNotAllowed"] = .object(methodNotAllowed)
        var schemas = schemas
        schemas[ProblemResponses.schema.name] = .object(ProblemResponses.schema.document)
        return [
            "openapi": "3.1.0", "info": Self.info, "servers": [["url": "/"]], "tags": .array(Self.tags),
            "paths": .object(paths),
            "components": [
                "schemas": .object(schemas), "responses": .object(responses),
                "securitySchemes": [
                    "sessionCookie": ["type": "apiKey", "in": "cookie", "name": "__Host-Http-session"],
                    "bearer": ["type": "http", "scheme": "bearer", "bearerFormat": "JWT"],
                    "serviceKey": ["type": "http", "scheme": "bearer", "bearerFormat": "crk_<id>_<secret>"],
                ],
            ],
        ]
    }

    private mutating func describe(_ endpoint: Endpoint) -> JSONObject {
        let operation = endpoint.operation
        var object: JSONObject = [
            "operationId": .string(operation.id), "summary": .string(operation.summary),
            "tags": [.string(operation.tag.rawValue)],
        ]
        object["description"] = operation.details.map { .string($0) }
        object["servers"] = endpoint.servers
        let parameters = endpoint.parameters
        if !parameters.isEmpty { object["parameters"] = .array(parameters) }
        object["requestBody"] = endpoint.requestBody.map { .object($0) }
        for schema in endpoint.namedBodies { schemas[schema.name] = .object(schema.document) }
        object["security"] = operation.security.document
        object["responses"] = .object(responses(of: endpoint))
        return object
    }

    private mutating func responses(of endpoint: Endpoint) -> JSONObject {
        var responses: [Int: JSONObject] = [:]
        for answer in endpoint.answers {
            responses[answer.status.code] = answer.document
            for schema in answer.content.flatMap(\.named) where schemas[schema.name] == nil {
                schemas[schema.name] = .object(schema.document)
            }
        }
        responses.merge(problems.responses(of: endpoint.denials)) { $1 }
        var object = JSONObject()
        for (status, response) in responses.sorted(by: { $0.key < $1.key }) {
            object["\(status)"] = .object(response)
        }
        return object
    }

    private static let info: JSONValue = [
        "title": "Cloakroom", "version": "0.1.0", "summary": "The session layer for browser apps.",
        "description": .string(
            """
            Every error is an RFC 9457 problem with a stable `code`. No problem response carries a Set-Cookie, except \
            the 503 of logout, which expires the cookie. A method that a path does not have is answered 405 \
            `method_not_allowed` with `Allow`, OPTIONS on the public listener 204 with `Allow`; HEAD is answered like \
            GET, without a body. A path of this document with a slash at its end is answered 308 to the path without. \
            Unsafe requests from browsers are checked by `Origin` and Fetch Metadata. `/auth/check`, `/metrics` and \
            `/service/*` are on the private listener, at an address of their own; on the public listener they are \
            404. Objects may get more members in later versions.
            """),
        "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
    ]

    private static var tags: [JSONValue] {
        Operation.Tag.allCases.map { tag in
            var object: JSONObject = ["name": .string(tag.rawValue)]
            object["description"] = tag.details.map { .string($0) }
            return .object(object)
        }
    }
}

extension Operation.Tag {
    fileprivate var details: String? {
        switch self {
        case .sessions, .resources, .operations: nil
        case .pages: "Login, sign-up and account, for apps that bring none of their own."
        case .hosts:
            "With the setting `hosts`: how a host beside that of the public URL gets a session of its own. Browsers follow these redirects by themselves."
        case .privateListener:
            "For proxies and scrapers alone (setting `privateListen`); `/healthz` and `/readyz` are there as well. Without CORS; connections of other peers than processes of this machine, the group of the Unix socket and `trustedProxies` are closed."
        case .service:
            "On the private listener, for backends that keep their own login. The key is made by `cloakroom credentials add`."
        }
    }
}

extension Operation.Security {
    fileprivate var document: JSONValue {
        switch self {
        case .none: []
        case .session: [["sessionCookie": []], ["bearer": []]]
        case .sessionIfAny: [["sessionCookie": []], ["bearer": []], [:]]
        case .cookieIfAny: [["sessionCookie": []], [:]]
        case .serviceKey: [["serviceKey": []]]
        }
    }
}
