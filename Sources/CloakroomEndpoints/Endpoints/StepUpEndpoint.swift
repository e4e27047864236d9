import CloakroomAccounts
import CloakroomCore
import CloakroomSessions
import Hummingbird

extension Endpoint {
    /// Raises the session to a fresh `auth_time`, and always to a new generation.
    static let stepUp = Endpoint(
        Operation(
            .post, "/auth/step-up", "stepUp", "Authenticate afresh", tag: .sessions, security: .session,
            answers: [
                Answer(
                    .ok, "A fresh auth_time and a new generation.", .json(SessionAnswer.schema),
                    headers: [.sessionCookie])
            ],
            denials: .raisingASession),
        reads: .json(.password())
    ) { call, fields in
        let presented = try call.presented(call.credentials)
        let password = try await fields()
        let proof = try await call.accounts.prove(password, ofOwnerOf: presented, from: call.device)
        return call.answer(try await call.sessions.stepUp(presented, with: proof))
    }
}

extension Denials {
    /// The denials that step-up and password change share.
    static let raisingASession = (.session + [.invalidCredentials, .rateLimited, .stepUpUnavailable]).describing(
        .unavailable,
        "The store or a queue is unavailable or full, or a renewed cookie may still be on its way; nothing is changed."
    ).describing(
        .stepUpUnavailable,
        "The app has a login of its own, and this server does not know the user's password: ask the app.")
}
