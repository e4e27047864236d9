import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import HTTPTypes
import Hummingbird

extension Endpoint {
    /// `POST /auth/logout`: ends the session, if there is one, and expires the cookie; the only answer that does.
    ///
    /// While the store takes no writes the answer is 503, so that a client which shows a failed logout shows this one,
    /// and expires the cookie all the same: whoever logs out at a shared machine walks away from it.
    static let logout = Endpoint(.post, "/auth/logout", takesForms: true) { call in
        var fields = try await call.fields()
        let inBody = fields.optionalString("refresh_token", maximumLength: VerifiedJWS.maximumSize)
        try fields.check()
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
    /// The one problem answer that may get a `Set-Cookie`.
    fileprivate var answer: Response { problem.response }
}

extension Call {
    /// Whatever names a session soundly; rubbish names none, and is no reason to keep somebody logged in.
    fileprivate func everythingPresented(_ inBody: String?) -> [SessionService.Presented] {
        let credentials = credentials
        let body = inBody.flatMap { try? sessions.read(refreshToken: Array($0.utf8)) }
        return [
            (try? refreshToken(credentials)).map { .refresh($0) },
            credentials.bearer?.access.map { .access($0) },
            body.map { .refresh($0) },
        ].compactMap { $0 }
    }
}
