import CloakroomCore
import CloakroomTokens
import HTTPTypes
import Hummingbird

/// Writes a value as JSON, and describes that JSON for the OpenAPI document. Both follow from the same members, so
/// every member that is written is documented with its type.
struct Schema<Value>: Sendable {
    /// The JSON Schema at the place of use: a `$ref` if the schema has a name.
    let document: JSONObject
    /// The named schemas that `document` refers to, directly or through others.
    let named: [NamedSchema]
    let example: JSONValue
    let write: @Sendable (Value) -> JSONValue

    /// The successful response with this value as its body.
    func response(_ value: Value, status: HTTPResponse.Status = .ok) -> Response {
        .json(write(value), status: status)
    }
}

/// A schema that the document lists once, under `components/schemas`.
struct NamedSchema: Sendable {
    let name: String
    let document: JSONObject

    var reference: JSONObject { ["$ref": .string("#/components/schemas/\(name)")] }
}

extension Schema {
    /// A JSON object with these members.
    /// - Parameter name: the name under `components/schemas`; nil for a schema that is written at the place of use.
    static func object(_ name: String? = nil, _ members: [Member<Value>]) -> Schema {
        var properties = JSONObject()
        var example = JSONObject()
        for member in members {
            properties[member.name] = .object(member.document)
            example[member.name] = member.example
        }
        let required = members.filter(\.isRequired).map { JSONValue.string($0.name) }
        let document: JSONObject = [
            "type": "object", "required": .array(required), "properties": .object(properties),
        ]
        return Schema(name, document, members.flatMap(\.named), example: .object(example)) { value in
            var object = JSONObject()
            for member in members {
                if let written = member.write(value) { object[member.name] = written }
            }
            return .object(object)
        }
    }

    /// The object of a value that exists, or another object for nil.
    static func optional<Wrapped>(
        _ name: String, _ some: Schema<Wrapped>, orElse none: Schema<Void>
    ) -> Schema where Value == Wrapped? {
        let document: JSONObject = ["oneOf": [.object(some.document), .object(none.document)]]
        return Schema(name, document, some.named + none.named, example: some.example) { value in
            value.map(some.write) ?? none.write(())
        }
    }

    /// - Parameter named: the schemas that `document` refers to.
    init(
        _ name: String?, _ document: JSONObject, _ named: [NamedSchema] = [], example: JSONValue,
        write: @escaping @Sendable (Value) -> JSONValue
    ) {
        let own = name.map { NamedSchema(name: $0, document: document) }
        self.init(
            document: own?.reference ?? document, named: named + [own].compactMap { $0 }, example: example, write: write
        )
    }
}
