import CloakroomCore
import CloakroomSessions
import CloakroomTokens
import HTTPTypes
import Hummingbird

extension Endpoint {
    /// The public keys as a JWK Set (RFC 7517).
    static let keySet = Endpoint(
        Operation(
            .get, "/.well-known/jwks.json", "keySet", "The public keys", tag: .resources,
            answers: [
                Answer(.ok, "A JWK Set (RFC 7517). A new key is in it before it signs.", .json(keySetSchema))
            ])
    ) { call in
        var response = keySetSchema.response(try call.sessions.publicKeySet())
        response.headers[.cacheControl] = "public, max-age=300"
        return response
    }

    /// The schema of the public keys that `SigningKey` writes.
    private static let keySetSchema = Schema<JSONValue>(
        "KeySet",
        [
            "type": "object", "required": ["keys"],
            "properties": ["keys": ["type": "array", "minItems": 1, "items": .object(keySchema)]],
        ],
        example: ["keys": [keyExample]]
    ) { $0 }

    private static let keySchema: JSONObject = [
        "type": "object", "required": ["kty", "kid", "use", "alg"],
        "properties": [
            "kty": ["enum": ["EC", "OKP", "RSA"]], "crv": ["enum": ["P-256", "Ed25519"]], "x": ["type": "string"],
            "y": ["type": "string"], "n": ["type": "string"], "e": ["type": "string"], "kid": ["type": "string"],
            "use": ["const": "sig"], "alg": ["enum": ["ES256", "EdDSA", "RS256"]],
        ],
    ]

    private static let keyExample: JSONValue = [
        "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "kid": "k_3IoFKEZcMrRj2xhW", "use": "sig", "alg": "ES256",
    ]
}
