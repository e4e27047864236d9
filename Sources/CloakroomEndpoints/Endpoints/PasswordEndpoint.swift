import CloakroomAccounts
import CloakroomCore
import CloakroomSessions
import Hummingbird

extension Endpoint {
    /// Changes the password, and ends every other session of the subject.
    static let password = Endpoint(
        Operation(
            .post, "/auth/password", "changePassword", "Change the password", tag: .sessions, security: .session,
            answers: [
                Answer(
                    .noContent, "Changed. Every other session of the subject is ended; this one is rotated.",
                    headers: [.sessionCookie])
            ],
            denials: .raisingASession + [.loginHostOnly]),
        reads: .json(.password("current_password"), .newPassword("new_password"))
    ) { call, fields in
        try call.requireLoginHost()
        let presented = try call.presented(call.credentials)
        let (current, new) = try await fields()
        let grant = try await call.accounts.changePassword(presented, from: current, to: new, device: call.device)
        var response = Response(status: .noContent)
        call.handOver(grant.tokens, to: &response)
        return response
    }
}
