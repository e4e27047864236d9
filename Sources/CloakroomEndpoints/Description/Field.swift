import CloakroomCore
import CloakroomTokens

/// A member of a request's body, or a parameter of its query. The same value documents it and reads it.
struct Field<Value: Sendable>: Sendable {
    let description: FieldDescription
    /// - Parameter values: all values of the request under the name, without nulls; strings in a query.
    private let parse: @Sendable (_ values: [JSONValue]) throws(Complaint) -> Value

    init(
        _ description: FieldDescription, parse: @escaping @Sendable (_ values: [JSONValue]) throws(Complaint) -> Value
    ) {
        self.description = description
        self.parse = parse
    }

    /// The field's value, or the reason why it is invalid.
    func read(_ values: [JSONValue]) -> Result<Value, Complaint> {
        do throws(Complaint) {
            return .success(try parse(values))
        } catch {
            let member = error.field.isEmpty ? "" : ".\(error.field)"
            return .failure(Complaint(field: description.name + member, error.reason))
        }
    }
}

/// The description of a field in the OpenAPI document.
struct FieldDescription: Sendable {
    let name: String
    let schema: JSONObject
    var help: String?
    var isRequired = false
    /// A valid value.
    let example: JSONValue
    /// The schema of the field in a plain HTML form; nil for the same as in JSON.
    var formSchema: JSONObject?
    /// Converts the text of a form to the JSON value.
    var fromForm: @Sendable (String) -> JSONValue = { .string($0) }
}

/// The reason why a field is invalid, for the member `errors` of the problem response.
struct Complaint: Error {
    /// The member of the field that is invalid; empty for the field itself.
    var field = ""
    let reason: String

    init(field: String = "", _ reason: String) {
        self.field = field
        self.reason = reason
    }

    static let missing = Complaint("is missing")
}

extension [JSONValue] {
    /// The first value of a body field as a string; nil if there is none.
    func string(ofAtMost maximumLength: Int) throws(Complaint) -> String? {
        guard let value = first else { return nil }
        guard let string = value.stringValue, string.utf8.count <= maximumLength else {
            throw Complaint("must be a string of at most \(maximumLength) bytes")
        }
        return string
    }
}
