import CloakroomCore
import CloakroomSessions
import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// Ends one of the subject's own sessions.
    static let endSession = Endpoint(
        Operation(
            .delete, "/auth/sessions/{id}", "endSession", "End one of the subject's sessions", tag: .sessions,
            parameter: PathParameter(name: "id"), security: .session,
            answers: [Answer(.noContent, "Ended, everywhere within a second.", headers: [.sessionCookie])],
            denials: .session + [.notFound])
    ) { call in
        try await call.withAccess { access in
            try await call.sessions.end(SessionID(call.parameter), of: access.subject)
            return Response(status: .noContent)
        }
    }
}
