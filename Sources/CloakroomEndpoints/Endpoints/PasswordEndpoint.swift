import CloakroomAccounts
import CloakroomCore
import CloakroomSessions
import Hummingbird

extension Endpoint {
    /// `POST /auth/password` `{current_password, new_password}`: every other session of the subject ends.
    static let password = Endpoint(.post, "/auth/password") { call in
        let presented = try call.presented(call.credentials)
        var fields = try await call.fields()
        let current = try fields.password("current_password")
        let new = try fields.password("new_password")
        let grant = try await call.accounts.changePassword(presented, from: current, to: new, device: call.device)
        var response = Response(status: .noContent)
        call.handOver(grant.tokens, to: &response)
        return response
    }
}
