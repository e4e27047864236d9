import CloakroomService
import CloakroomTokens
import HTTPTypes
import Hummingbird

extension Endpoint {
    /// `GET /.well-known/jwks.json`: the public keys (RFC 7517). A new key is in it long before it signs.
    static let keySet = Endpoint(.get, "/.well-known/jwks.json") { call in
        var response = Response.json(try call.service.publicKeySet())
        response.headers[.cacheControl] = "public, max-age=300"
        return response
    }

    /// `GET /.well-known/oauth-authorization-server` (RFC 8414)
    static let metadata = Endpoint(.get, "/.well-known/oauth-authorization-server") { call in
        let origin = try call.ownOrigin()
        return .json([
            "issuer": .string(call.server.configuration.issuer),
            "jwks_uri": .string("\(origin)/.well-known/jwks.json"),
            "response_types_supported": [],
            "grant_types_supported": [],
            "service_documentation": .string("\(origin)/auth/openapi.json"),
        ])
    }
}
