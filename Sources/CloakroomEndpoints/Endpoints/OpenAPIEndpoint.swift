import CloakroomCore
import Hummingbird

extension Endpoint {
    /// The OpenAPI document, generated from the descriptions of the endpoints.
    static let openAPI = Endpoint(
        Operation(
            .get, "/auth/openapi.json", "openAPI", "The OpenAPI document", tag: .resources,
            answers: Resource.answers(
                "OpenAPI 3.1.",
                [
                    Answer.Content(
                        type: "application/json", schema: ["type": "object"], named: [], example: nil)
                ]))
    ) { call in document.response(to: call.request) }

    /// Created at the first request: it uses `all`, which contains this endpoint.
    private static let document = Resource(
        JSONValue.object(OpenAPIDocument.of(Endpoint.all)).serialized, type: "application/json")
}
