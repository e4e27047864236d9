import CloakroomWeb
import Hummingbird

extension Endpoint {
    /// The JavaScript module of the browser client.
    static let clientScript = resource(
        "/auth/client.js", "clientScript", "The browser client", "An ES module.",
        Resource(.client))

    /// The TypeScript declarations of the browser client.
    static let clientTypes = resource(
        "/auth/client.d.ts", "clientTypes", "The browser client's types", "TypeScript declarations.",
        Resource(.clientTypes))

    private static func resource(
        _ path: String, _ id: String, _ summary: String, _ description: String, _ resource: Resource
    ) -> Endpoint {
        let content = [resource.type].map(Answer.Content.text)
        return Endpoint(
            Operation(.get, path, id, summary, tag: .resources, answers: Resource.answers(description, content))
        ) { call in resource.response(to: call.request) }
    }
}
