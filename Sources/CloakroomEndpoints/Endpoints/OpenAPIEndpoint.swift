import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// The contract for programs, made from the descriptions of the endpoints.
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

    /// Made when it is first asked for: it is made of `all`, which this endpoint is a part of.
    private static let document = Resource(
        JSONValue.object(OpenAPIDocument.of(Endpoint.all)).serialized, type: "application/json")
}
