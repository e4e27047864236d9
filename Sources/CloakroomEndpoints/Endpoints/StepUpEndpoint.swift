import CloakroomAccounts
import CloakroomCore
import CloakroomSessions
import Hummingbird

extension Endpoint {
    /// `POST /auth/step-up` `{password}`: a fresh `auth_time`, and always a new generation.
    static let stepUp = Endpoint(.post, "/auth/step-up") { call in
        let presented = try call.presented(call.credentials)
        var fields = try await call.fields()
        let password = try fields.password("password")
        let proof = try await call.accounts.prove(password, ofOwnerOf: presented, from: call.device)
        return call.answer(try await call.sessions.stepUp(presented, with: proof))
    }
}
