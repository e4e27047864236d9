import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import Hummingbird

/// The fields of an endpoint, and the part of the request that has them.
struct Input<Value: Sendable>: Sendable {
    let place: FieldPlace
    let fields: [FieldDescription]
    let read: @Sendable (any RequestWithFields) async throws -> Value
}

/// A request that may have fields in its query or body.
protocol RequestWithFields: Sendable {
    var request: Request { get }
    /// nil when the request is not a plain HTML form.
    var form: FormSubmission? { get }
}

extension Call: RequestWithFields {}

/// The part of a request that has its fields.
enum FieldPlace: Sendable {
    case query, json, jsonOrForm
}

extension Input {
    /// The members of a JSON object in the body; an empty body is an empty object.
    static func json<each F: Sendable>(_ field: repeat Field<each F>) -> Self where Value == (repeat each F) {
        body(.json, repeat each field)
    }

    /// As `json`, and also a plain HTML form that a browser sends without script.
    static func jsonOrForm<each F: Sendable>(_ field: repeat Field<each F>) -> Self where Value == (repeat each F) {
        body(.jsonOrForm, repeat each field)
    }

    static func query<each F: Sendable>(_ field: repeat Field<each F>) -> Self where Value == (repeat each F) {
        Input(place: .query, fields: describe(repeat each field)) { call in
            let query = call.request.uri.queryParameters
            return try values(repeat each field) { name in query[values: name[...]].map { .string(String($0)) } }
        }
    }

    private static func body<each F: Sendable>(
        _ place: FieldPlace, _ field: repeat Field<each F>
    ) -> Self where Value == (repeat each F) {
        let fields = describe(repeat each field)
        return Input(place: place, fields: fields) { call in
            let object = try await call.object(fields)
            return try values(repeat each field) { name in
                [object[name]].compactMap { $0 }.filter { $0 != .null }
            }
        }
    }

    private static func describe<each F: Sendable>(_ field: repeat Field<each F>) -> [FieldDescription] {
        var fields: [FieldDescription] = []
        repeat fields.append((each field).description)
        return fields
    }

    /// - Throws: `Denial.invalidRequest`, which names each invalid field.
    private static func values<each F: Sendable>(
        _ field: repeat Field<each F>, named value: (String) -> [JSONValue]
    ) throws -> (repeat each F) {
        let results = (repeat (each field).read(value((each field).description.name)))
        var errors: [String: String] = [:]
        for result in repeat each results {
            if case .failure(let complaint) = result { errors[complaint.field] = complaint.reason }
        }
        guard errors.isEmpty else { throw Denial.invalidRequest(fields: errors) }
        return (repeat try (each results).get())
    }
}

extension Call {
    static let maximumBody = 64 * 1024
}

extension RequestWithFields {
    /// The body as a JSON object. `FieldDescription.fromForm` converts the texts of a form.
    /// - Throws: `Denial.unsupportedMediaType`, `.contentTooLarge`, `.invalidRequest`.
    fileprivate func object(_ fields: [FieldDescription]) async throws(Denial) -> JSONObject {
        guard let form else { return try await request.jsonObject(upTo: Call.maximumBody) }
        let texts = try form.fields.get()
        var object = JSONObject()
        for field in fields { object[field.name] = texts[field.name]?.stringValue.map(field.fromForm) }
        return object
    }
}
