import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import HTTPTypes
import Hummingbird

extension Endpoint {
    /// Ends the session, if there is one, and expires the cookie; no other response expires it.
    ///
    /// While the store takes no writes the response is 503, so that the client can show that the logout failed. It expires
    /// the cookie all the same: a person who logs out at a shared machine walks away from it.
    static let logout = Endpoint(
        Operation(
            .post, "/auth/logout", "logout", "Log out", tag: .sessions, security: .sessionIfAny,
            answers: [Answer(.noContent, "Logged out; without a session too.", headers: [.expiredCookie])],
            denials: Denials([.unavailable]).describing(
                .unavailable,
                "The store takes no writes. The cookie is expired, and the session refused here, all the same.",
                headers: [.expiredCookie])),
        reads: .jsonOrForm(.refreshToken)
    ) { call, fields in
        let inBody = try await fields()
        if let inBody { try? await call.sessions.learnKey(of: Array(inBody.utf8)) }
        var isDurable = true
        for presented in call.everythingPresented(inBody) {
            isDurable = try await call.sessions.logout(presented) == .durable && isDurable
        }
        var response = isDurable ? Response(status: .noContent) : Denial.unavailable(retryAfter: .seconds(1)).answer
        response.headers[.setCookie] = call.cookie.expiring(for: call.request.headers)
        response.hand(over: call.server.xsrf?.expiring(for: call.request.headers))
        return response
    }
}

extension Denial {
    /// The one problem response that may get a `Set-Cookie`.
    fileprivate var answer: Response { problem.response }
}

extension Call {
    /// Every readable token of the request. An unreadable token names no session, and does not stop the logout of the
    /// others.
    fileprivate func everythingPresented(_ inBody: String?) -> [SessionService.Presented] {
        let credentials = credentials
        let body = inBody.flatMap { try? sessions.read(refreshToken: Array($0.utf8), at: host) }
        return [
            (try? refreshToken(credentials)).map { .refresh($0) },
            credentials.bearer?.access.map { .access($0) },
            body.map { .refresh($0) },
        ].compactMap { $0 }
    }
}
