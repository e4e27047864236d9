import CloakroomSessions
import CloakroomTokens
import HTTPTypes
import Hummingbird

extension Endpoint {
    /// `GET /.well-known/jwks.json`: the public keys (RFC 7517). A new key is in it long before it signs.
    static let keySet = Endpoint(.get, "/.well-known/jwks.json") { call in
        var response = Response.json(try call.sessions.publicKeySet())
        response.headers[.cacheControl] = "public, max-age=300"
        return response
    }

    /// `GET /.well-known/oauth-authorization-server` (RFC 8414)
    static let metadata = metadata("/.well-known/oauth-authorization-server")

    /// `GET /.well-known/openid-configuration`: the same document, where other libraries look for it.
    static let openIDMetadata = metadata("/.well-known/openid-configuration")

    /// `GET /.well-known/change-password`: where password managers send people (W3C change-password-url).
    static let changePassword = Endpoint(.get, "/.well-known/change-password") { _ in
        Response(status: .found, headers: [.location: "/auth/pages/account"])
    }

    private static func metadata(_ path: String) -> Endpoint {
        Endpoint(.get, path) { call in
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
}
