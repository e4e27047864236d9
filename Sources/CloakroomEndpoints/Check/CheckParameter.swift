import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens

/// One parameter: its documentation, and the change that its value makes.
struct CheckParameter: Sendable {
    let description: FieldDescription
    let apply: @Sendable (_ value: String, inout CheckParameters) throws(Complaint) -> Void

    init<Value>(_ field: Field<Value>, change: @escaping @Sendable (inout CheckParameters, Value) -> Void) {
        description = field.description
        apply = { text, parameters throws(Complaint) in change(&parameters, try field.read([.string(text)]).get()) }
    }
}

extension CheckParameters {
    static let descriptions = all.map(\.description)

    static let all = [
        CheckParameter(.maximumAge) { parameters, age in
            let level = parameters.demand?.minimumLevel ?? .singleFactor
            parameters.demand = StepUp(maximumAge: age, minimumLevel: level)
        },
        CheckParameter(.level) { parameters, level in
            parameters.demand = StepUp(maximumAge: parameters.demand?.maximumAge, minimumLevel: level)
        },
        CheckParameter(.claim) { $0.claims.append($1) },
        CheckParameter(.loginPage) { $0.loginPage = $1 },
        CheckParameter(.allow) { parameters, _ in parameters.allowsWith200 = true },
        CheckParameter(.refuse) { parameters, _ in parameters.refuses = true },
    ]
}

extension Field where Value == Span {
    private static var longest: Int64 { 34_560_000 }

    fileprivate static var maximumAge: Self {
        let description = FieldDescription(
            name: "max_age", schema: ["type": "integer", "minimum": 0, "maximum": .integer(longest)],
            help: "The last authentication may be so many seconds old.", example: 300)
        return Field(description) { values throws(Complaint) in
            guard let seconds = values.first?.stringValue.flatMap({ Int64($0) }), 0...longest ~= seconds else {
                throw Complaint("must be whole seconds")
            }
            return .seconds(seconds)
        }
    }
}

extension Field where Value == AuthenticationLevel {
    fileprivate static var level: Self {
        let levels = AuthenticationLevel.allCases.map(\.rawValue)
        let description = FieldDescription(
            name: "acr", schema: ["type": "string", "enum": .array(levels.map { .string($0) })],
            help: "The least authentication level.", example: "2")
        return Field(description) { values throws(Complaint) in
            guard let level = values.first?.stringValue.flatMap({ AuthenticationLevel(rawValue: $0) }) else {
                throw Complaint("must be one of \(levels.joined(separator: ", "))")
            }
            return level
        }
    }
}

extension Field where Value == ClaimDemand {
    fileprivate static var claim: Self {
        let description = FieldDescription(
            name: "claim", schema: ["type": "array", "items": ["type": "string"]],
            help:
                "`name:value`, and may come again: the claim must be the value, or a list that contains it. Otherwise 403.",
            example: ["roles:editor"])
        return Field(description) { values throws(Complaint) in
            let parts = values.first?.stringValue?.split(separator: ":", maxSplits: 1) ?? []
            guard parts.count == 2, Claims.isName(String(parts[0])) else {
                throw Complaint("must be the name of a claim, a colon, and a value")
            }
            return ClaimDemand(String(parts[0]), String(parts[1]))
        }
    }
}

extension Field where Value == String {
    fileprivate static var loginPage: Self {
        let description = FieldDescription(
            name: "login", schema: ["type": "string"],
            help: "The path of the login page, for people who navigate without a session.",
            example: "/auth/pages/login")
        return Field(description) { values throws(Complaint) in
            guard let path = values.first?.stringValue, SameOriginPath.isSafe(path) else {
                throw Complaint("must be a path on this origin")
            }
            return path
        }
    }
}

extension Field where Value == Void {
    fileprivate static var allow: Self {
        let description = FieldDescription(
            name: "allow", schema: ["type": "string", "enum": ["200"]],
            help: "For proxies that allow on 200 alone.", example: "200")
        return Field(description) { values throws(Complaint) in
            guard values.first == "200" else { throw Complaint("must be 200") }
        }
    }

    fileprivate static var refuse: Self {
        let description = FieldDescription(
            name: "refuse", schema: ["type": "string", "maxLength": 0],
            help:
                "For proxies that ask a second time to show a refusal: what would be 204 is 307 to the same target for safe methods, otherwise 503, and never holds a token.",
            example: "")
        return Field(description) { values throws(Complaint) in
            guard values.first == "" else { throw Complaint("has no value") }
        }
    }
}
