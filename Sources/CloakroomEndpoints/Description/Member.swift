import CloakroomCore
import CloakroomTokens

/// A member of a JSON object in a response: its name, its schema, and the function that computes its value.
struct Member<Subject>: Sendable {
    let name: String
    let isRequired: Bool
    let document: JSONObject
    let named: [NamedSchema]
    /// nil for a member that the example object lacks.
    let example: JSONValue?
    let write: @Sendable (Subject) -> JSONValue?

    /// - Parameter help: a description, if the name does not suffice.
    private init(
        _ name: String, isRequired: Bool = true, _ document: JSONObject, help: String?, named: [NamedSchema] = [],
        example: JSONValue?, write: @escaping @Sendable (Subject) -> JSONValue?
    ) {
        var document = document
        if let help { document["description"] = .string(help) }
        self.name = name
        self.isRequired = isRequired
        self.document = document
        self.named = named
        self.example = example
        self.write = write
    }
}

/// Each function takes the value in the type that its schema promises.
extension Member {
    static func text(
        _ name: String, example: String, format: String? = nil, help: String? = nil,
        value: @escaping @Sendable (Subject) -> String
    ) -> Member {
        Member(name, textSchema(format), help: help, example: .string(example)) { .string(value($0)) }
    }

    /// A string that the object may lack. The example lacks it.
    static func optionalText(
        _ name: String, example: String? = nil, help: String, value: @escaping @Sendable (Subject) -> String?
    ) -> Member {
        Member(name, isRequired: false, textSchema(nil), help: help, example: example.map { .string($0) }) {
            value($0).map { .string($0) }
        }
    }

    /// ISO 8601, in UTC.
    static func time(_ name: String, help: String? = nil, value: @escaping @Sendable (Subject) -> Instant) -> Member {
        Member(name, textSchema("date-time"), help: help, example: "2026-11-23T22:18:25Z") {
            .string(value($0).iso8601)
        }
    }

    static func texts(_ name: String, example: [String], value: @escaping @Sendable (Subject) -> [String]) -> Member {
        Member(
            name, ["type": "array", "items": ["type": "string"]], help: nil,
            example: .array(example.map { .string($0) })
        ) { .array(value($0).map { .string($0) }) }
    }

    /// Whole seconds, zero or more.
    static func seconds(
        _ name: String, example: Int64, help: String, value: @escaping @Sendable (Subject) -> Int64
    ) -> Member {
        Member(name, secondsSchema, help: help, example: .integer(example)) { .integer(value($0)) }
    }

    /// Whole seconds that the object may lack. The example lacks them.
    static func optionalSeconds(
        _ name: String, help: String, value: @escaping @Sendable (Subject) -> Int64?
    ) -> Member {
        Member(name, isRequired: false, secondsSchema, help: help, example: nil) { value($0).map { .integer($0) } }
    }

    /// A whole number that the object may lack. The example lacks it.
    static func optionalNumber(
        _ name: String, help: String, value: @escaping @Sendable (Subject) -> Int64?
    ) -> Member {
        Member(name, isRequired: false, ["type": "integer"], help: help, example: nil) {
            value($0).map { .integer($0) }
        }
    }

    static func flag(
        _ name: String, example: Bool, help: String? = nil, value: @escaping @Sendable (Subject) -> Bool
    ) -> Member {
        Member(name, ["type": "boolean"], help: help, example: .bool(example)) { .bool(value($0)) }
    }

    /// The raw value of an enum; the schema lists its cases.
    static func choice<Choice: CaseIterable & RawRepresentable<String> & SendableMetatype>(
        _ name: String, help: String? = nil, value: @escaping @Sendable (Subject) -> Choice
    ) -> Member {
        let values = Choice.allCases.map { JSONValue.string($0.rawValue) }
        let document: JSONObject = ["type": "string", "enum": .array(values)]
        return Member(name, document, help: help, example: values.first) { .string(value($0).rawValue) }
    }

    /// The same value in every object.
    static func constant(_ name: String, _ value: JSONValue) -> Member {
        Member(name, ["const": value], help: nil, example: value) { _ in value }
    }

    /// The same value in every object that has the member. The example lacks it.
    static func optionalConstant(
        _ name: String, _ value: JSONValue, isThere: @escaping @Sendable (Subject) -> Bool
    ) -> Member {
        Member(name, isRequired: false, ["const": value], help: nil, example: nil) { isThere($0) ? value : nil }
    }

    static func object<Value>(
        _ name: String, _ schema: Schema<Value>, value: @escaping @Sendable (Subject) -> Value
    ) -> Member {
        Member(name, schema.document, help: nil, named: schema.named, example: schema.example) {
            schema.write(value($0))
        }
    }

    static func list<Value>(
        _ name: String, of schema: Schema<Value>, atMost maximum: Int64,
        value: @escaping @Sendable (Subject) -> [Value]
    ) -> Member {
        let document: JSONObject = ["type": "array", "items": .object(schema.document), "maxItems": .integer(maximum)]
        return Member(name, document, help: nil, named: schema.named, example: [schema.example]) {
            .array(value($0).map(schema.write))
        }
    }

    private static func textSchema(_ format: String?) -> JSONObject {
        var document: JSONObject = ["type": "string"]
        if let format { document["format"] = .string(format) }
        return document
    }

    private static var secondsSchema: JSONObject { ["type": "integer", "minimum": 0] }
}
