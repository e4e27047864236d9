import CloakroomAccounts
import CloakroomCore
import CloakroomMiddleware
import CloakroomStores
import CloakroomTokens

/// Fields that several endpoints share.
extension Field where Value == EmailAddress {
    static var email: Self {
        let schema: JSONObject = ["type": "string", "format": "email", "maxLength": 254]
        let description = FieldDescription(
            name: "email", schema: schema, isRequired: true, example: "ann@example.com")
        return Field(description) { values throws(Complaint) in
            guard let text = try values.string(ofAtMost: 256) else { throw .missing }
            guard let email = EmailAddress(parsing: text) else { throw Complaint("must be an e-mail address") }
            return email
        }
    }
}

extension Field where Value == Password {
    /// The password of an existing account.
    static func password(_ name: String = "password") -> Self {
        password(name, minimumLength: nil, example: "correct horse battery")
    }

    /// A new password. The service checks the choice.
    static func newPassword(_ name: String = "password") -> Self {
        password(name, minimumLength: Password.minimumLength, example: "a better horse battery")
    }

    private static func password(_ name: String, minimumLength: Int?, example: JSONValue) -> Self {
        var schema: JSONObject = [
            "type": "string", "format": "password", "maxLength": .integer(Int64(Password.maximumLength)),
        ]
        if let minimumLength { schema["minLength"] = .integer(Int64(minimumLength)) }
        let description = FieldDescription(name: name, schema: schema, isRequired: true, example: example)
        return Field(description) { values throws(Complaint) in
            // A code point takes up to four bytes in UTF-8.
            guard let text = try values.string(ofAtMost: Password.maximumLength * 4) else { throw .missing }
            guard let password = Password(text) else {
                throw Complaint("must be at most \(Password.maximumLength) characters long")
            }
            return password
        }
    }
}

extension Field where Value == Bool {
    static var remember: Self {
        let description = FieldDescription(
            name: "remember", schema: ["type": "boolean", "default": false],
            help: "Whether the cookie outlives the browser.", example: true,
            formSchema: ["type": "string", "enum": .array(checked.map { .string($0) })],
            fromForm: { .bool(checked.contains($0)) })
        return Field(description) { values throws(Complaint) in
            guard let value = values.first else { return false }
            guard let bool = value.boolValue else { throw Complaint("must be true or false") }
            return bool
        }
    }

    /// The values that mean a checked checkbox.
    private static var checked: [String] { ["on", "true", "1"] }

    /// A query parameter that `1` alone sets; any other value counts as absent.
    static func flag(_ name: String, help: String) -> Self {
        let schema: JSONObject = ["type": "string", "enum": ["1"]]
        return Field(FieldDescription(name: name, schema: schema, help: help, example: "1")) { $0.first == "1" }
    }
}

extension Field where Value == ClientID? {
    static var client: Self {
        let description = FieldDescription(
            name: "client_id", schema: ["type": "string", "maxLength": 256],
            help: "A client of the setting `clients`; a browser with cookie delivery by default.", example: "browser")
        return Field(description) { values throws(Complaint) in
            try values.string(ofAtMost: 256).map { ClientID($0) }
        }
    }
}

extension Field where Value == String? {
    static var refreshToken: Self {
        let maximum = VerifiedJWS.maximumSize
        let description = FieldDescription(
            name: "refresh_token", schema: ["type": "string", "maxLength": .integer(Int64(maximum))],
            help: "Only for clients with body delivery.", example: "eyJhbGc.eyJzaWQ.c2ln")
        return Field(description) { values throws(Complaint) in try values.string(ofAtMost: maximum) }
    }

    /// A path on this origin. Any other value counts as absent, so that no link leads from these pages to another
    /// host.
    static var returnTo: Self {
        let description = FieldDescription(
            name: "return_to", schema: ["type": "string"],
            help:
                "Where to go afterwards: a path on this origin. Anything else is ignored; by default the account page.",
            example: "/app")
        return Field(description) { values in
            values.first?.stringValue.flatMap { SameOriginPath.isSafe($0) ? $0 : nil }
        }
    }
}
