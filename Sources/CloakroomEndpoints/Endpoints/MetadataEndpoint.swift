import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// Authorization server metadata (RFC 8414).
    static let metadata = metadata(
        "/.well-known/oauth-authorization-server", "metadata", "Authorization server metadata (RFC 8414)")

    /// The same document, where OpenID Connect libraries look for it.
    static let openIDMetadata = metadata(
        "/.well-known/openid-configuration", "openIDMetadata",
        "The metadata, where OpenID Connect libraries look for it")

    private static func metadata(_ path: String, _ id: String, _ summary: String) -> Endpoint {
        Endpoint(
            Operation(
                .get, path, id, summary, tag: .resources,
                answers: [Answer(.ok, "The metadata.", .json(Metadata.schema))])
        ) { call in
            let metadata = Metadata(issuer: call.server.configuration.issuer, origin: try call.ownOrigin())
            return Metadata.schema.response(metadata)
        }
    }
}

private struct Metadata: Sendable {
    let issuer: String
    /// The origin that the client used.
    let origin: String

    static let schema = Schema<Metadata>.object(
        "Metadata",
        [
            .text("issuer", example: "https://auth.example.com") { $0.issuer },
            .text("jwks_uri", example: "https://auth.example.com/.well-known/jwks.json", format: "uri") {
                "\($0.origin)/.well-known/jwks.json"
            },
            .texts("response_types_supported", example: []) { _ in [] },
            .texts("grant_types_supported", example: []) { _ in [] },
            .text("service_documentation", example: "https://auth.example.com/auth/openapi.json", format: "uri") {
                "\($0.origin)/auth/openapi.json"
            },
        ])
}
