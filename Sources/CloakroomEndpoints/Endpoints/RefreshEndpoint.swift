import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// `POST /auth/refresh`, with the cookie, or with `{refresh_token}` for a client with body delivery.
    static let refresh = Endpoint(.post, "/auth/refresh") { call in
        var fields = try await call.fields()
        let inBody = fields.optionalString("refresh_token", maximumLength: VerifiedJWS.maximumSize)
        try fields.check()
        if let inBody { return try await call.refresh(inBody) }
        let credentials = call.credentials
        let access = try? credentials.cookie?.get().access
        return call.answer(
            try await call.sessions.refresh(
                call.refreshToken(credentials), presenting: access, from: .cookie))
    }
}

extension Call {
    fileprivate func refresh(_ text: String) async throws -> Response {
        let token = try sessions.read(refreshToken: Array(text.utf8))
        return answer(
            try await sessions.refresh(token, presenting: nil, from: .body(isFromBrowser: isFromBrowser)))
    }
}
