import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// Renews the session of the cookie, or of a refresh token in the body.
    static let refresh = Endpoint(
        Operation(
            .post, "/auth/refresh", "refresh", "Renew the session",
            details:
                "With the cookie, or with `refresh_token` for a client with body delivery. A renewal never hands out the generation that was presented: where nothing newer is due, the response has `rotated: false` and `renew_in`, and no cookie and no refresh token.",
            tag: .sessions, security: .cookieIfAny,
            answers: [
                Answer(
                    .ok, "Renewed, or served without anything handed out.", .json(SessionAnswer.schema),
                    headers: [.sessionCookie])
            ],
            denials: [
                .sessionMissing, .tokenInvalid, .sessionExpired, .sessionRevoked, .refreshTokenReused, .unavailable,
            ]),
        reads: .json(.refreshToken)
    ) { call, fields in
        if let inBody = try await fields() { return try await call.refresh(inBody) }
        let credentials = call.credentials
        let access = try? credentials.cookie?.get().access
        return call.answer(
            try await call.sessions.refresh(
                call.refreshToken(credentials), presenting: access, from: .cookie))
    }
}

extension Call {
    fileprivate func refresh(_ text: String) async throws -> Response {
        try await sessions.learnKey(of: Array(text.utf8))
        let token = try sessions.read(refreshToken: Array(text.utf8), at: host)
        return answer(
            try await sessions.refresh(token, presenting: nil, from: .body(isFromBrowser: isFromBrowser)))
    }
}
