import CloakroomCore
import CloakroomService
import CloakroomTokens
import HTTPTypes
import Hummingbird
import NIOCore

extension Call {
    static let maximumBody = 64 * 1024

    /// The body as a JSON object; an empty body is an empty object.
    /// - Throws: `Denial.unsupportedMediaType`, `.contentTooLarge`, `.invalidRequest`.
    func fields() async throws -> Fields {
        let bytes = try await body()
        guard !bytes.isEmpty else { return Fields([:]) }
        let value: JSONValue
        do { value = try JSONReader.read(bytes) } catch {
            throw Denial.invalidRequest(fields: ["body": "is not strict JSON: \(error.reason)"])
        }
        guard let object = value.objectValue else { throw Denial.invalidRequest(fields: ["body": "is not an object"]) }
        return Fields(object)
    }

    private func body() async throws -> [UInt8] {
        let length = request.headers[.contentLength].flatMap { Int($0) }
        if let length, length > Self.maximumBody { throw Denial.contentTooLarge }
        let types = request.headers[values: .contentType]
        guard types.isEmpty || types.count == 1 && Self.isJSON(types[0]) else { throw Denial.unsupportedMediaType }
        let buffer: ByteBuffer
        do { buffer = try await request.body.collect(upTo: Self.maximumBody) } catch is NIOTooManyBytesError {
            throw Denial.contentTooLarge
        }
        guard buffer.readableBytes == 0 || !types.isEmpty else { throw Denial.unsupportedMediaType }
        return Array(buffer.readableBytesView)
    }

    /// `application/json`, alone or with `charset=utf-8`. Anything else is what a form or a lax parser would send.
    private static func isJSON(_ type: String) -> Bool {
        let parts = type.lowercased().split(separator: ";", omittingEmptySubsequences: false).map { part in
            part.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
        }.map { String($0) }
        return parts == ["application/json"] || parts == ["application/json", "charset=utf-8"]
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
