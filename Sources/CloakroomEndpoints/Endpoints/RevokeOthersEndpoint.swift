import CloakroomCore
import CloakroomSessions
import Hummingbird

extension Endpoint {
    /// Ends all of the subject's sessions but this one.
    static let revokeOthers = Endpoint(
        Operation(
            .post, "/auth/sessions/revoke-others", "revokeOthers", "End all other sessions of the subject",
            tag: .sessions, security: .session,
            answers: [Answer(.noContent, "Ended, everywhere within a second.", headers: [.sessionCookie])],
            denials: .session),
        reads: .json()
    ) { call, fields in
        try await fields()
        return try await call.withAccess { access in
            try await call.sessions.endOthers(of: access)
            return Response(status: .noContent)
        }
    }
}
