import CloakroomCore
import HTTPTypes

/// The parts of the OpenAPI document for the requests and responses of an endpoint.
extension Endpoint {
    /// nil for an endpoint that only the public listener has.
    var servers: JSONValue? {
        guard privately != nil else { return nil }
        let server: JSONValue = [
            "url": "{privateListener}", "description": "The private listener.",
            "variables": [
                "privateListener": [
                    "default": "http://127.0.0.1:8081",
                    "description": "As the setting `privateListen` says it; a Unix socket in other deployments.",
                ]
            ],
        ]
        return publicly == nil ? [server] : [["url": "/"], server]
    }

    var parameters: [JSONValue] {
        let path = operation.parameter.map { parameter in
            var schema: JSONObject = ["type": "string"]
            if let values = parameter.values { schema["enum"] = .array(values.map { .string($0) }) }
            schema["pattern"] = parameter.pattern.map { .string($0) }
            return JSONValue.object([
                "name": .string(parameter.name), "in": "path", "required": true, "schema": .object(schema),
            ])
        }
        let query = fieldsOfQuery.map { field in
            var object: JSONObject = ["name": .string(field.name), "in": "query"]
            object["description"] = field.help.map { .string($0) }
            if field.example == "" { object["allowEmptyValue"] = true }
            object["schema"] = .object(field.schema)
            return JSONValue.object(object)
        }
        let headers = operation.headers.map { header -> JSONValue in
            [
                "name": .string(header.name), "in": "header", "description": .string(header.help),
                "schema": ["type": "string"],
            ]
        }
        return [path].compactMap { $0 } + query + headers
    }

    private var fieldsOfQuery: [FieldDescription] {
        switch place {
        case .query: fields
        case .json, .jsonOrForm, nil: []
        }
    }

    /// nil for an endpoint without fields in its body.
    var requestBody: JSONObject? {
        guard let json = jsonBody else { return nil }
        var content: JSONObject = [
            "application/json": ["schema": .object(json.reference), "example": .object(example)]
        ]
        if let form = formBody {
            content["application/x-www-form-urlencoded"] = ["schema": .object(form.reference)]
        }
        return ["required": .bool(fields.contains(where: \.isRequired)), "content": .object(content)]
    }

    /// The schemas that `requestBody` refers to.
    var namedBodies: [NamedSchema] { [jsonBody, formBody].compactMap { $0 } }

    private var jsonBody: NamedSchema? {
        switch place {
        case .json, .jsonOrForm: fields.isEmpty ? nil : body("Request", of: fields) { $0.schema }
        case .query, nil: nil
        }
    }

    private var formBody: NamedSchema? {
        switch place {
        case .jsonOrForm:
            body("Form", of: fields + [FormSubmission.returnTo.description]) { $0.formSchema ?? $0.schema }
        case .json, .query, nil: nil
        }
    }

    /// A valid body, built from the examples of the fields.
    var example: JSONObject {
        var object = JSONObject()
        for field in fields { object[field.name] = field.example }
        return object
    }

    private func body(
        _ suffix: String, of fields: [FieldDescription], schema: (FieldDescription) -> JSONObject
    ) -> NamedSchema {
        var properties = JSONObject()
        for field in fields {
            var property = schema(field)
            property["description"] = field.help.map { .string($0) }
            properties[field.name] = .object(property)
        }
        let required = fields.filter(\.isRequired).map { JSONValue.string($0.name) }
        return NamedSchema(
            name: operation.id.prefix(1).uppercased() + operation.id.dropFirst() + suffix,
            document: ["type": "object", "required": .array(required), "properties": .object(properties)])
    }

    /// The successful responses, including the redirects of plain forms.
    var answers: [Answer] {
        switch place {
        case .jsonOrForm:
            let cookies = operation.answers.flatMap(\.headers).filter { $0.name == "Set-Cookie" }
                .map { AnswerHeader(name: $0.name, help: $0.help, isAlways: false) }
            return operation.answers + [
                Answer(
                    .seeOther,
                    "To a plain form of a browser without script (`Sec-Fetch-Mode: navigate`): to `return_to`, or where it failed back to the page of the form with `?error=CODE`.",
                    headers: [.location("A path on this origin, or on the trusted origin of the form.")] + cookies)
            ]
        case .json, .query, nil: return operation.answers
        }
    }
}

extension Answer {
    var document: JSONObject {
        var object: JSONObject = ["description": .string(description)]
        if !headers.isEmpty { object["headers"] = .object(headers.document) }
        var bodies = JSONObject()
        for body in content {
            var type: JSONObject = ["schema": .object(body.schema)]
            type["example"] = body.example
            bodies[body.type] = .object(type)
        }
        if !content.isEmpty { object["content"] = .object(bodies) }
        return object
    }
}

extension [AnswerHeader] {
    var document: JSONObject {
        var headers = JSONObject()
        for header in self {
            var object: JSONObject = ["description": .string(header.help)]
            if header.isAlways { object["required"] = true }
            object["schema"] = .object(header.schema)
            headers[header.name] = .object(object)
        }
        return headers
    }
}
