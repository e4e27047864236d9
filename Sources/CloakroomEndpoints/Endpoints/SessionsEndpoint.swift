import CloakroomCore
import CloakroomSessions
import CloakroomStores
import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// Lists the subject's live sessions, newest first; `next` is present while there are more.
    static let sessions = Endpoint(
        Operation(
            .get, "/auth/sessions", "listSessions", "The subject's live sessions", tag: .sessions, security: .session,
            answers: [Answer(.ok, "Newest first.", .json(SessionList.schema), headers: [.sessionCookie])],
            denials: .session),
        reads: .query(.pageSize, .cursor)
    ) { call, fields in
        let (limit, cursor) = try await fields()
        return try await call.withAccess { access in
            let (sessions, next) = try await call.sessions.sessions(
                .ofSubject(access.subject, except: nil), after: cursor, limit: limit)
            let current = try await call.sessions.root(of: access.session)
            let list = SessionList(
                sessions: sessions.map { .init(session: $0, isCurrent: ($0.parent ?? $0.id) == current) }, next: next)
            return SessionList.schema.response(list)
        }
    }
}

extension Field where Value == Int {
    private static var longestPage: Int { 100 }

    static var pageSize: Self {
        let maximum = JSONValue.integer(Int64(longestPage))
        let description = FieldDescription(
            name: "limit",
            schema: ["type": "integer", "minimum": 1, "maximum": maximum, "default": maximum],
            help: "How many at most.", example: maximum)
        return Field(description) { values throws(Complaint) in
            guard let text = values.first?.stringValue else { return longestPage }
            guard values.count == 1, text.utf8.count <= 3, let limit = Int(text), 1...longestPage ~= limit else {
                throw Complaint("must be a number from 1 to \(longestPage)")
            }
            return limit
        }
    }
}

extension Field where Value == SessionCursor? {
    static var cursor: Self {
        let description = FieldDescription(
            name: "after", schema: ["type": "string"], help: "The `next` of the page before.",
            example: SessionList.exampleCursor)
        return Field(description) { values throws(Complaint) in
            guard let text = values.first?.stringValue else { return nil }
            guard values.count == 1, let cursor = SessionCursor(parsing: text) else {
                throw Complaint("must be the next of an answer")
            }
            return cursor
        }
    }
}

/// One page of a subject's sessions.
struct SessionList: Sendable {
    let sessions: [Listed]
    let next: SessionCursor?

    struct Listed: Sendable {
        let session: Session
        let isCurrent: Bool

        static let schema = Schema<Listed>.object(
            "ListedSession",
            [
                .text("id", example: SessionAnswer.exampleID) { $0.session.id.rawValue },
                .flag("current", example: true) { $0.isCurrent },
                .time("created_at") { $0.session.createdAt },
                .time("last_seen_at") { $0.session.lastSeenAt },
                .text("user_agent", example: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0") {
                    $0.session.userAgent
                },
                .text("ip", example: "203.0.113.7") { $0.session.address },
                .texts("amr", example: ["pwd"]) { $0.session.authentication.methods },
                .choice("binding") { $0.session.binding },
                .optionalText(
                    "host", help: "With the setting `hosts`: the host that has this session. Absent for a login."
                ) { $0.session.handedOver?.host },
                .optionalText(
                    "parent", help: "The session of the login from which the host got this one, and with which it ends."
                ) { $0.session.parent?.rawValue },
            ])
    }

    static let schema = Schema<SessionList>.object(
        "SessionList",
        [
            .list("sessions", of: Listed.schema, atMost: 100) { $0.sessions },
            .optionalText("next", help: "For `after`, while there is more.") { $0.next?.text },
        ])

    static let exampleCursor: JSONValue = "MTc2Mzk1NTUwNTAwMH5tYWVYWDlDTEZSb2YtWHhIOVlMRjk5c0M"
}
