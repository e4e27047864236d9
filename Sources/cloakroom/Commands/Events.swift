import ArgumentParser
import CloakroomCore
import CloakroomStores
import CloakroomTokens

/// `cloakroom events`
struct Events: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the record of security events, oldest first.",
        discussion: "One line each: time, event, then what is known of it. The record goes back 90 days.")
    @Option(help: "Only those of this account.") var user: String?
    @Option(help: "Only those of this session.") var session: String?
    @Option(
        help: ArgumentHelp("Only events of this kind, such as login_failed; may be given again.", valueName: "event"))
    var kind: [String] = []
    @Option(help: ArgumentHelp("Only those from this time on, such as 2026-11-23T12:00:00Z.", valueName: "time"))
    var since: String?
    @Option(help: ArgumentHelp("Only those before this time.", valueName: "time")) var until: String?
    @Flag(help: "Go on, and print events as they are recorded.") var follow = false
    @OptionGroup var administration: Administration

    private static let page = 500
    private static let period = Duration.milliseconds(500)

    func validate() throws {
        for name in kind where !SecurityEvent.Kind(rawValue: name).isKnown {
            let names = SecurityEvent.Kind.all.filter(\.isRecorded).map(\.rawValue).joined(separator: ", ")
            throw ValidationError("there is no event \(name); there are: \(names)")
        }
        for time in [since, until].compactMap({ $0 }) where Instant(iso8601: time) == nil {
            throw ValidationError(
                "--since and --until expect a date, or a time with its zone such as 2026-11-23T12:00:00+01:00")
        }
    }

    func run() async throws {
        try await administration.perform { instance in
            let query = try await query(instance)
            var cursor: EventCursor?
            while true {
                let page = try await instance.store.events(query, after: cursor, limit: Self.page)
                page.events.forEach(print)
                cursor = page.cursor
                guard page.events.isEmpty else { continue }
                guard follow else { return nil }
                try await Task.sleep(for: Self.period)
            }
        }
    }

    private func query(_ instance: Instance) async throws -> EventQuery {
        var query = EventQuery(
            session: session.map { SessionID($0) }, kinds: Set(kind.map(SecurityEvent.Kind.init(rawValue:))),
            since: since.flatMap { Instant(iso8601: $0) }, until: until.flatMap { Instant(iso8601: $0) })
        if let user { query.subject = try await administration.account(user, in: instance).subject }
        return query
    }

    private func print(_ event: SecurityEvent) {
        if administration.json {
            Terminal.print(String(decoding: JSONValue.object(event.json).serialized, as: UTF8.self))
        } else {
            let facts = event.facts.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
            let kind = event.kind.isKnown ? event.kind.rawValue : "\(event.kind.rawValue) (unknown)"
            Terminal.print("\(event.time.iso8601) \(kind) \(Terminal.styled(facts, .faint))")
        }
    }
}

extension SecurityEvent {
    fileprivate var json: JSONObject {
        var object: JSONObject = ["time": .string(time.iso8601), "event": .string(kind.rawValue)]
        if !kind.isKnown { object["known"] = false }
        for (name, value) in facts {
            switch value {
            case .text(let text): object[name] = .string(text)
            case .number(let number): object[name] = .integer(number)
            }
        }
        return object
    }
}
