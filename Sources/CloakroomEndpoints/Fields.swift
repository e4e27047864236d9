import CloakroomAccounts
import CloakroomCore
import CloakroomMiddleware
import CloakroomStores
import CloakroomTokens
import HTTPTypes
import Hummingbird
import NIOCore

extension Call {
    static let maximumBody = 64 * 1024

    /// The body as a JSON object, or the fields of a form; an empty body is an empty object.
    /// - Throws: `Denial.unsupportedMediaType`, `.contentTooLarge`, `.invalidRequest`.
    func fields() async throws -> Fields {
        if let form { return Fields(try form.fields.get()) }
        return Fields(try await request.jsonObject(upTo: Self.maximumBody))
    }
}

/// The members of a request body, read one by one; what is wrong with them is told all at once.
struct Fields {
    private let object: JSONObject
    private var errors: [String: String] = [:]

    init(_ object: JSONObject) {
        self.object = object
    }

    /// - Throws: `Denial.invalidRequest` when anything that was read so far was wrong.
    func check() throws(Denial) {
        guard errors.isEmpty else { throw .invalidRequest(fields: errors) }
    }

    /// nil, without complaint, when there is none.
    mutating func optionalString(_ name: String, maximumLength: Int = 256) -> String? {
        guard let value = object[name], value != .null else { return nil }
        guard let string = value.stringValue, string.utf8.count <= maximumLength else {
            errors[name] = "must be a string of at most \(maximumLength) bytes"
            return nil
        }
        return string
    }

    mutating func optionalBool(_ name: String) -> Bool? {
        guard let value = object[name], value != .null else { return nil }
        guard let bool = value.boolValue else {
            errors[name] = "must be true or false"
            return nil
        }
        return bool
    }

    mutating func email(_ name: String) throws(Denial) -> EmailAddress {
        guard let text = try required(name, optionalString(name)) else { return try fail(name, "must be a string") }
        guard let email = EmailAddress(parsing: text) else { return try fail(name, "must be an e-mail address") }
        return email
    }

    mutating func password(_ name: String) throws(Denial) -> Password {
        let text = optionalString(name, maximumLength: Password.maximumLength * 4)
        guard let text = try required(name, text) else { return try fail(name, "must be a string") }
        guard let password = Password(text) else {
            return try fail(name, "must be at most \(Password.maximumLength) characters long")
        }
        return password
    }

    private mutating func required(_ name: String, _ value: String?) throws(Denial) -> String? {
        if value == nil, errors[name] == nil { errors[name] = "is missing" }
        try check()
        return value
    }

    private mutating func fail<Value>(_ name: String, _ reason: String) throws(Denial) -> Value {
        errors[name] = reason
        throw .invalidRequest(fields: errors)
    }
}
