import CloakroomAccounts
import CloakroomCore
import CloakroomTokens

/// The fields of the service API.
extension Field where Value == Subject {
    static var subject: Self {
        let description = FieldDescription(
            name: "subject", schema: ["type": "string", "pattern": "^(?!u_)[A-Za-z0-9._:-]{1,64}$"],
            help: "The backend's own id of the user: never an e-mail address, and never used for another user later.",
            isRequired: true, example: "42")
        return Field(description) { values throws(Complaint) in
            guard let value = values.first else { throw .missing }
            guard let subject = value.stringValue.flatMap({ Subject(external: $0) }) else {
                throw Complaint(Subject.expected)
            }
            guard !subject.isOfAccount else { throw Complaint("must not begin with u_, as accounts of Cloakroom do") }
            return subject
        }
    }
}

extension Field where Value == BackendAuthentication {
    static var authentication: Self {
        let levels = AuthenticationLevel.allCases.map { JSONValue.string($0.rawValue) }
        let methods: JSONValue = [
            "type": "array", "minItems": 1, "maxItems": .integer(Int64(Evidence.longestAssertion)),
            "items": ["type": "string", "pattern": "^[a-z0-9_-]{1,8}$"],
        ]
        let description = FieldDescription(
            name: "authentication",
            schema: [
                "type": "object", "required": ["amr"],
                "properties": [
                    "amr": methods, "acr": ["type": "string", "enum": .array(levels), "default": levels.first ?? "1"],
                ],
            ], help: "How the backend has authenticated the user (RFC 8176).", isRequired: true,
            example: ["amr": ["pwd"], "acr": "1"])
        return Field(description) { values throws(Complaint) in
            let object = try values.object()
            return BackendAuthentication(methods: try methodsOf(object), level: try levelOf(object))
        }
    }

    private static func methodsOf(_ object: JSONObject) throws(Complaint) -> [String] {
        guard let amr = object["amr"] else { throw Complaint(field: "amr", "is missing") }
        let methods = amr.arrayValue?.compactMap(\.stringValue) ?? []
        guard 1...Evidence.longestAssertion ~= methods.count, methods.count == amr.arrayValue?.count,
            methods.allSatisfy(Evidence.isMethod), Set(methods).count == methods.count
        else {
            throw Complaint(
                field: "amr",
                "must be 1 to \(Evidence.longestAssertion) different strings of at most 8 characters from a-z, 0-9, _ and -"
            )
        }
        return methods
    }

    private static func levelOf(_ object: JSONObject) throws(Complaint) -> AuthenticationLevel {
        guard let value = object["acr"], value != .null else { return .singleFactor }
        guard let level = value.stringValue.flatMap({ AuthenticationLevel(rawValue: $0) }) else {
            let levels = AuthenticationLevel.allCases.map(\.rawValue).joined(separator: ", ")
            throw Complaint(field: "acr", "must be one of \(levels)")
        }
        return level
    }
}

extension Field where Value == Claims? {
    static var claims: Self {
        Field(.claims(isRequired: false)) { values throws(Complaint) in
            values.isEmpty ? nil : try Claims(field: values)
        }
    }
}

extension Field where Value == Claims {
    static var newClaims: Self {
        Field(.claims(isRequired: true)) { values throws(Complaint) in try Claims(field: values) }
    }
}

extension FieldDescription {
    fileprivate static func claims(isRequired: Bool) -> FieldDescription {
        FieldDescription(
            name: "claims", schema: ["type": "object"],
            help:
                "All claims of the subject from now on, with names from the setting `claims`: strings of at most 128 bytes, numbers, Booleans, and lists of at most 16 of these; at most 512 bytes of JSON.",
            isRequired: isRequired, example: ["roles": ["editor"]])
    }
}

extension Claims {
    fileprivate init(field values: [JSONValue]) throws(Complaint) {
        let object = try values.object()
        do throws(Fault) {
            try self.init(object)
        } catch {
            throw Complaint(field: error.name ?? "", error.reason)
        }
    }
}

/// When new claims come into access tokens.
enum ClaimsEffect: String, CaseIterable, Sendable {
    case next, now
}

extension Field where Value == ClaimsEffect {
    static var effect: Self {
        let effects = ClaimsEffect.allCases.map { JSONValue.string($0.rawValue) }
        let description = FieldDescription(
            name: "effect", schema: ["type": "string", "enum": .array(effects), "default": "next"],
            help: "`next`: at the next renewal of each session. `now`: older access tokens count as expired.",
            example: "now")
        return Field(description) { values throws(Complaint) in
            guard let value = values.first else { return .next }
            guard let effect = value.stringValue.flatMap({ ClaimsEffect(rawValue: $0) }) else {
                throw Complaint("must be next or now")
            }
            return effect
        }
    }
}

extension Field where Value == Bool {
    static var blocked: Self {
        let description = FieldDescription(
            name: "blocked", schema: ["type": "boolean"],
            help: "`true` ends the sessions of the subject, and lets none begin.", isRequired: true, example: true)
        return Field(description) { values throws(Complaint) in
            guard let value = values.first else { throw .missing }
            guard let bool = value.boolValue else { throw Complaint("must be true or false") }
            return bool
        }
    }
}

extension Field where Value == SessionID? {
    static var except: Self {
        let description = FieldDescription(
            name: "except", schema: ["type": "string"], help: "The id of a session that goes on.",
            example: .string(SessionAnswer.exampleID))
        return Field(description) { values throws(Complaint) in try values.string(ofAtMost: 256).map { SessionID($0) } }
    }
}

extension [JSONValue] {
    /// The first value as an object.
    func object() throws(Complaint) -> JSONObject {
        guard let value = first else { throw .missing }
        guard let object = value.objectValue else { throw Complaint("must be an object") }
        return object
    }
}
