import CloakroomAccounts
import CloakroomCore
import CloakroomSessions
import CloakroomStores
import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// Reads the record of security events.
    static let serviceEvents = Endpoint(
        service: Operation(
            .get, "/service/events", "listEvents", "The record of security events",
            details:
                "Oldest first. Keep `next`, and ask with it for what comes later; it is there also when there are no events. A key with a subject prefix gets only the events of its subjects; one call looks at most at fifty pages of the record for them, so ask again while `next` changes. Scope `events:read`.",
            tag: .service, security: .serviceKey,
            answers: [Answer(.ok, "Oldest first.", .json(EventList.schema))], denials: [.invalidRequest]),
        needs: .readEvents, reads: .query(.pageSize, .eventCursor)
    ) { call, fields in
        let (limit, start) = fields
        // A key whose prefix matches nothing would otherwise read the whole record in one call.
        let mostPages = 50
        var list = EventList(events: [], next: start)
        for _ in 1...mostPages {
            let page = try await call.sessions.events(after: list.next, limit: limit)
            list.next = page.cursor
            list.events = page.events.filter { event in
                call.credential.rights.subjectPrefix == nil || event.subject.map(call.credential.mayName) ?? false
            }
            if page.events.isEmpty || !list.events.isEmpty { break }
        }
        return EventList.schema.response(list)
    }
}

extension Field where Value == EventCursor? {
    fileprivate static var eventCursor: Self {
        let description = FieldDescription(
            name: "after", schema: ["type": "string"], help: "The `next` of the response before.", example: "1042")
        return Field(description) { values throws(Complaint) in
            guard let text = values.first?.stringValue else { return nil }
            guard values.count == 1, 1...128 ~= text.utf8.count else {
                throw Complaint("must be the next of an answer")
            }
            return EventCursor(text)
        }
    }
}

struct EventList: Sendable {
    var events: [SecurityEvent]
    var next: EventCursor?

    static let schema = Schema<EventList>.object(
        "EventList",
        [
            .list("events", of: event, atMost: 100) { $0.events },
            .text("next", example: "1042", help: "For `after`.") { $0.next?.rawValue ?? "" },
        ])

    private static let event = Schema<SecurityEvent>.object(
        "SecurityEvent",
        [
            .time("time") { $0.time }, .text("event", example: "login") { $0.kind.rawValue },
            text("subject", "The subject, if known."), text("session", "The id of the session."),
            text("ip", "The address of the browser, or of the backend."),
            text("reason", "Why a session ended."), text("payer", "The limit that refused a request."),
            text("credential", "The id of the service credential that caused the event."),
            text("operation", "The call of the service API."),
            text("unknown", "Fields that a newer version wrote."),
            number("generation", "The session's generation."), number("count", "How many requests it stands for."),
            number("epoch", "After a restore."),
        ])

    private static func text(_ name: String, _ help: String) -> Member<SecurityEvent> {
        .optionalText(name, help: help) { event in event.facts.first { $0.name == name }?.value.text }
    }

    private static func number(_ name: String, _ help: String) -> Member<SecurityEvent> {
        .optionalNumber(name, help: help) { event in event.facts.first { $0.name == name }?.value.number }
    }
}

extension SecurityEvent.Details.Value {
    fileprivate var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    fileprivate var number: Int64? {
        if case .number(let number) = self { number } else { nil }
    }
}
