import CloakroomAccounts
import CloakroomCore
import CloakroomSessions
import CloakroomStores
import Hummingbird

extension Endpoint {
    private static let subject = PathParameter(name: "subject", pattern: "^[A-Za-z0-9._:-]{1,64}$")

    /// Lists the live sessions of a subject.
    static let subjectSessions = Endpoint(
        service: Operation(
            .get, "/service/subjects/{subject}/sessions", "listSubjectSessions", "The live sessions of a subject",
            details: "Scope `sessions:read`.", tag: .service, parameter: subject, security: .serviceKey,
            answers: [Answer(.ok, "Newest first.", .json(SubjectSessions.schema))], denials: [.invalidRequest]),
        needs: .readSessions, reads: .query(.pageSize, .cursor)
    ) { call, fields in
        let (limit, cursor) = fields
        let (sessions, next) = try await call.sessions.sessions(
            .ofSubject(try call.subject(), except: nil), after: cursor, limit: limit)
        return SubjectSessions.schema.response(SubjectSessions(sessions: sessions, next: next))
    }

    /// Ends the sessions of a subject.
    static let endSubjectSessions = Endpoint(
        service: Operation(
            .delete, "/service/subjects/{subject}/sessions", "endSubjectSessions", "End the sessions of a subject",
            details:
                "After a change of the password, with `except` for the session that changed it. Scope `sessions:revoke`.",
            tag: .service, parameter: subject, security: .serviceKey,
            answers: [Answer(.noContent, "Ended, everywhere within a second.")], denials: [.invalidRequest]),
        needs: .revokeSessions, reads: .query(.except)
    ) { call, except in
        let subject = try call.subject()
        try await call.recordUse(of: "endSubjectSessions", subject: subject)
        try await call.sessions.revoke(.ofSubject(subject, except: except), reason: .endedByService)
        return Response(status: .noContent)
    }

    /// Replaces the claims of a subject.
    static let setClaims = Endpoint(
        service: Operation(
            .put, "/service/subjects/{subject}/claims", "setClaims", "Replace the claims of a subject",
            details:
                "With `effect: now`, access tokens of the subject that were issued before count as expired within a second: the next request renews its session, and no session ends. Scope `claims:write`.",
            tag: .service, parameter: subject, security: .serviceKey,
            answers: [Answer(.noContent, "Replaced.")]),
        needs: .writeClaims, reads: .json(.newClaims, .effect)
    ) { call, fields in
        let (subject, claims) = (try call.subject(), try call.allowed(fields.0))
        let effect: CloakroomStores.ClaimsChange.Effect =
            switch fields.1 {
            case .next: .next
            case .now: .now(call.sessions.now)
            }
        try await call.sessions.setClaims(
            ClaimsChange(subject: subject, claims: claims, effect: effect), by: call.credential.id)
        return Response(status: .noContent)
    }

    /// Blocks a subject, or admits it again.
    static let setSubject = Endpoint(
        service: Operation(
            .put, "/service/subjects/{subject}", "setSubject", "Block a subject, or admit it again",
            details:
                "A blocked subject has no sessions and gets none: 409 `subject_blocked`, also at the login of an account. Scope `sessions:revoke`.",
            tag: .service, parameter: subject, security: .serviceKey,
            answers: [Answer(.noContent, "Blocked or admitted; sessions end everywhere within a second.")]),
        needs: .revokeSessions, reads: .json(.blocked)
    ) { call, isBlocked in
        try await call.sessions.setBlocked(isBlocked, try call.subject(), by: call.credential.id)
        return Response(status: .noContent)
    }
}

/// One page of the sessions of a subject, for a backend.
struct SubjectSessions: Sendable {
    let sessions: [Session]
    let next: SessionCursor?

    static let schema = Schema<SubjectSessions>.object(
        "SubjectSessions",
        [
            .list("sessions", of: listed, atMost: 100) { $0.sessions },
            .optionalText("next", help: "For `after`, while there is more.") { $0.next?.text },
        ])

    private static let listed = Schema<Session>.object(
        "SubjectSession",
        [
            .text("id", example: SessionAnswer.exampleID) { $0.id.rawValue },
            .time("created_at") { $0.createdAt }, .time("last_seen_at") { $0.lastSeenAt },
            .text("user_agent", example: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0") { $0.userAgent },
            .text("ip", example: "203.0.113.7") { $0.address },
            .texts("amr", example: ["pwd"]) { $0.authentication.methods },
            .choice("acr") { $0.authentication.level }, .time("auth_time") { $0.authentication.time },
            .choice("binding") { $0.binding },
        ])
}
