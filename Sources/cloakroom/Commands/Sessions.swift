import ArgumentParser
import CloakroomCore
import CloakroomSessions
import CloakroomStores
import CloakroomTokens

/// `cloakroom sessions`
struct Sessions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List and end sessions.", subcommands: [List.self, Revoke.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List live sessions, newest first.")
        @Option(help: "Only those of this user: an e-mail address or a subject.") var user: String?
        @Option(help: "How many to show at most.") var limit = 100
        @OptionGroup var administration: Administration

        func validate() throws {
            guard 1...1_000_000 ~= limit else { throw ValidationError("--limit expects a number from 1 to 1000000") }
        }

        func run() async throws {
            try await administration.perform(empty: "There are no live sessions.") { instance in
                var selection = SessionSelection.all
                if let user {
                    selection = .ofSubject(try await administration.subject(user, in: instance), except: nil)
                }
                return Table(try await instance.sessions.sessions(selection, limit: limit).sessions)
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End sessions.",
            discussion: """
                Name exactly one of: a session, --user, --all, --created-before. Every running server refuses an ended \
                session within a second.
                """)
        @Argument(help: "The session's id.") var id: String?
        @Option(help: "Every session of this user: an e-mail address or a subject.") var user: String?
        @Flag(help: "Every session there is.") var all = false
        @Option(help: ArgumentHelp("Every session that began before, such as 2026-11-23T12:00:00Z.", valueName: "time"))
        var createdBefore: String?
        @OptionGroup var administration: Administration

        func validate() throws {
            let named = [id != nil, user != nil, all, createdBefore != nil].filter { $0 }.count
            guard named == 1 else {
                throw ValidationError("name exactly one of: a session, --user, --all, --created-before")
            }
            if let createdBefore, Instant(iso8601: createdBefore) == nil {
                throw ValidationError(
                    "--created-before expects a date, or a time with its zone such as 2026-11-23T12:00:00+01:00")
            }
        }

        func run() async throws {
            try await administration.perform { instance in
                let selection = try await selection(instance)
                let count = try await instance.sessions.revoke(selection, reason: .endedByAdministrator)
                if count == 0 { try await fail(ifNoneCanBe: selection, instance) }
                return Table(columns: ["revoked"], rows: [[.init("\(count)", json: .integer(Int64(count)))]])
            }
        }

        /// A misspelt name must not look like success: a script would go on, and the sessions too.
        private func fail(ifNoneCanBe selection: SessionSelection, _ instance: Instance) async throws {
            switch selection {
            case .id: throw Administration.Failure("there is no such live session")
            case .ofSubject(let subject, _):
                guard try await instance.store.account(subject) == nil else { return }
                throw Administration.Failure("there is no account and no live session of \(subject.rawValue)")
            case .family, .createdBefore, .all: break
            }
        }

        private func selection(_ instance: Instance) async throws -> SessionSelection {
            if let id { return .id(SessionID(id)) }
            if let user { return .ofSubject(try await administration.subject(user, in: instance), except: nil) }
            if let instant = createdBefore.flatMap({ Instant(iso8601: $0) }) { return .createdBefore(instant) }
            return .all
        }
    }
}

extension Table {
    fileprivate init(_ sessions: [Session]) {
        self.init(columns: ["id", "subject", "client", "generation", "created_at", "last_seen_at", "ip", "user_agent"])
        rows = sessions.map { session in
            [
                Cell(session.id.rawValue), Cell(session.subject.rawValue, style: .faint),
                Cell(session.client.rawValue),
                Cell("\(session.generation)", json: .integer(Int64(session.generation))),
                Cell(session.createdAt.iso8601), Cell(session.lastSeenAt.iso8601), Cell(session.address),
                Cell(session.userAgent),
            ]
        }
    }
}
