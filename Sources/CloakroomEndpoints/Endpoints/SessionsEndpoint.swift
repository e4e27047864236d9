import CloakroomCore
import CloakroomSessions
import CloakroomStores
import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// `GET /auth/sessions?limit=&after=`: the subject's living sessions, newest first; `next` while there is more.
    static let sessions = Endpoint(.get, "/auth/sessions") { call in
        let (limit, cursor) = try call.page()
        return try await call.withAccess { access in
            let (sessions, next) = try await call.sessions.sessions(
                .ofSubject(access.subject, except: nil), after: cursor, limit: limit)
            var answer: JSONObject = ["sessions": .array(sessions.map { .object($0.listed(current: access.session)) })]
            if let next { answer["next"] = .string(next.text) }
            return .json(.object(answer))
        }
    }

    /// `DELETE /auth/sessions/{id}`: ends one of the subject's own.
    static let endSession = Endpoint(.delete, "/auth/sessions/{id}") { call in
        try await call.withAccess { access in
            try await call.sessions.end(SessionID(call.parameter), of: access.subject)
            return Response(status: .noContent)
        }
    }

    /// `POST /auth/sessions/revoke-others`: ends all but this one.
    static let revokeOthers = Endpoint(.post, "/auth/sessions/revoke-others") { call in
        _ = try await call.fields()
        return try await call.withAccess { access in
            try await call.sessions.endOthers(of: access)
            return Response(status: .noContent)
        }
    }
}

extension Call {
    private static let longestPage = 100

    /// - Throws: `Denial.invalidRequest` that names each parameter that cannot be used.
    fileprivate func page() throws(Denial) -> (limit: Int, after: SessionCursor?) {
        let query = request.uri.queryParameters
        let limits = query[values: "limit"].map { $0.utf8.count <= 3 ? Int($0) : nil }
        let cursors = query[values: "after"].map { SessionCursor(parsing: $0) }
        var errors: [String: String] = [:]
        let limit = limits.first ?? Self.longestPage
        if limits.count > 1 || !(1...Self.longestPage ~= limit ?? 0) {
            errors["limit"] = "must be a number from 1 to \(Self.longestPage)"
        }
        if cursors.count > 1 || cursors.contains(nil) { errors["after"] = "must be the next of an answer" }
        guard errors.isEmpty, let limit else { throw .invalidRequest(fields: errors) }
        return (limit, cursors.first ?? nil)
    }
}

extension Session {
    fileprivate func listed(current: SessionID) -> JSONObject {
        [
            "id": .string(id.rawValue), "current": .bool(id == current), "created_at": .string(createdAt.iso8601),
            "last_seen_at": .string(lastSeenAt.iso8601), "user_agent": .string(details.userAgent),
            "ip": .string(details.address),
            "amr": .array(authentication.methods.map { .string($0) }), "binding": .string(details.binding.rawValue),
        ]
    }
}
