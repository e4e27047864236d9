import CloakroomCore
import CloakroomTokens

/// A member of a request's body, or a parameter of its query. The value that documents it is the one that reads it.
struct Field<Value: Sendable>: Sendable {
    let description: FieldDescription
    /// - Parameter values: everything that the request has under the name, without nulls; strings in a query.
    private let parse: @Sendable (_ values: [JSONValue]) throws(Complaint) -> Value

    init(
        _ description: FieldDescription, parse: @escaping @Sendable (_ values: [JSONValue]) throws(Complaint) -> Value
    ) {
        self.description = description
        self.parse = parse
    }

    /// The field's value, or what is wrong with it.
    func read(_ values: [JSONValue]) -> Result<Value, Complaint> {
        do throws(Complaint) {
            return .success(try parse(values))
        } catch {
            return .failure(Complaint(field: description.name, error.reason))
        }
    }
}

/// What the OpenAPI document says about a field.
struct FieldDescription: Sendable {
    let name: String
    let schema: JSONObject
    var help: String?
    var isRequired = false
    /// A value that the field takes.
    let example: JSONValue
    /// What a checkbox or an input of a plain HTML form sends; nil for the same as in JSON.
    var formSchema: JSONObject?
    /// What the text of a form means in JSON.
    var fromForm: @Sendable (String) -> JSONValue = { .string($0) }
}

/// What is wrong with a field, for the member `errors` of the problem.
struct Complaint: Error {
    var field = ""
    let reason: String

    init(field: String = "", _ reason: String) {
        self.field = field
        self.reason = reason
    }

    static let missing = Complaint("is missing")
}

extension [JSONValue] {
    /// The string among the values of a body's field; nil where there is none.
    func string(ofAtMost maximumLength: Int) throws(Complaint) -> String? {
        guard let value = first else { return nil }
        guard let string = value.stringValue, string.utf8.count <= maximumLength else {
            throw Complaint("must be a string of at most \(maximumLength) bytes")
        }
        return string
    }
}
