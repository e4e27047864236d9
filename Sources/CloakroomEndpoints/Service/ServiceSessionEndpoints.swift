import CloakroomAccounts
import CloakroomCore
import CloakroomSessions
import CloakroomStores
import CloakroomTokens
import HTTPTypes
import Hummingbird

extension Endpoint {
    /// Begins a session for a user whom the backend has authenticated.
    static let beginServiceSession = Endpoint(
        service: Operation(
            .post, "/service/sessions", "beginServiceSession", "Begin a session for a user of the backend",
            details:
                "Always a new session id; a live session in `browser.cookie` is ended. The backend adds each line of `set_cookie` to its own response as it is. At most 20 new sessions a minute and subject. Scope `sessions:create`.",
            tag: .service, security: .serviceKey,
            answers: [Answer(.created, "The session and its cookies.", .json(ServiceAnswer.schema))],
            denials: [.crossSiteRequest, .subjectBlocked, .loginHostOnly]),
        needs: .createSessions, reads: .json(.subject, .authentication, .remember, .claims, .browser)
    ) { call, fields in
        let (subject, authentication, remember, claims, browser) = fields
        let allowed = try claims.map { claims throws(Denial) in try call.allowed(claims) }
        try call.check(browser)
        try call.requireLoginHost(of: browser)
        let proof = try call.backends.prove(subject, authentication, by: call.credential)
        let replaced = try? await call.refreshToken(of: browser)
        var request = try call.sessions.request(remember: remember, device: browser.device, replacing: replaced)
        request.claims = allowed
        return call.answer(try await call.backends.begin(proof, request), to: browser, status: .created)
    }

    /// Adds a later or stronger authentication to a session.
    static let stepUpServiceSession = Endpoint(
        service: Operation(
            .post, "/service/sessions/{sid}/step-up", "stepUpServiceSession",
            "Raise a session after the backend has authenticated its user again",
            details:
                "`browser.cookie` must have the cookie of this session. The backend adds each line of `set_cookie` to its own response as it is. Scope `sessions:create`.",
            tag: .service, parameter: PathParameter(name: "sid"), security: .serviceKey,
            answers: [Answer(.ok, "The raised session and its cookies.", .json(ServiceAnswer.schema))],
            denials: [.crossSiteRequest, .sessionExpired, .sessionRevoked, .refreshTokenReused]),
        needs: .createSessions, reads: .json(.authentication, .browser)
    ) { call, fields in
        let (authentication, browser) = fields
        try call.check(browser)
        guard let token = try? await call.refreshToken(of: browser), token.session.rawValue == call.parameter else {
            throw Denial.invalidRequest(fields: ["browser.cookie": "must have the cookie of this session"])
        }
        let session = try await call.sessions.session(.refresh(token))
        let proof = try call.backends.prove(session.subject, authentication, by: call.credential)
        return call.answer(try await call.sessions.stepUp(.refresh(token), with: proof), to: browser)
    }

    /// Ends one session.
    static let endServiceSession = Endpoint(
        service: Operation(
            .delete, "/service/sessions/{sid}", "endServiceSession", "End a session",
            details: "204 also for a session that is not known, or not to this key. Scope `sessions:revoke`.",
            tag: .service, parameter: PathParameter(name: "sid"), security: .serviceKey,
            answers: [Answer(.noContent, "Ended, everywhere within a second.")]),
        needs: .revokeSessions
    ) { call in
        let credential = call.credential
        try await call.sessions.end(SessionID(call.parameter), by: credential.id) { credential.mayName($0) }
        return Response(status: .noContent)
    }
}
