import CloakroomCore
import CloakroomService
import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// `GET /auth/sessions`: the subject's live sessions, newest first.
    static let sessions = Endpoint(.get, "/auth/sessions") { call in
        try await call.withAccess { access in
            let sessions = try await call.service.list(of: access.subject)
            return .json(["sessions": .array(sessions.map { .object($0.listed(current: access.session)) })])
        }
    }

    /// `DELETE /auth/sessions/{id}`: ends one of the subject's own.
    static let endSession = Endpoint(.delete, "/auth/sessions/{id}") { call in
        try await call.withAccess { access in
            try await call.service.end(SessionID(call.parameter), of: access.subject)
            return Response(status: .noContent)
        }
    }

    /// `POST /auth/sessions/revoke-others`: ends all but this one.
    static let revokeOthers = Endpoint(.post, "/auth/sessions/revoke-others") { call in
        _ = try await call.fields()
        return try await call.withAccess { access in
            try await call.service.endOthers(of: access)
            return Response(status: .noContent)
        }
    }
}

extension Session {
    fileprivate func listed(current: SessionID) -> JSONObject {
        [
            "id": .string(id.rawValue), "current": .bool(id == current), "created_at": .string(createdAt.iso8601),
            "last_seen_at": .string(lastSeenAt.iso8601), "user_agent": .string(userAgent), "ip": .string(address),
            "amr": .array(authentication.methods.map { .string($0) }), "binding": "none",
        ]
    }
}
