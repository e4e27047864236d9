import CloakroomCore
import CloakroomStores
import Foundation

/// Writes security events into a statement, and reads them.
struct EventRows {
    /// The columns, in the order in which `event` reads them.
    static let columns = "kind, time, subject, session, address, details"
    /// Whether this process leaves it to a server to log and count its events.
    let leavesToServers: Bool

    /// The parts of a `WITH` that insert the events once, if `guardian`, an earlier part, has a row.
    ///
    /// The ids are drawn before: a statement that is sent again after a lost connection inserts no event twice.
    func insertion(of events: [SecurityEvent], if guardian: String, _ text: inout StatementText) throws -> String {
        let events = events.filter(\.kind.isRecorded)
        guard !events.isEmpty else { return "" }
        let lists: [SQLValue] = [
            .uuids(events.map { _ in UUID() }), .texts(events.map(\.kind.rawValue)),
            .ints(events.map(\.time.milliseconds)), .texts(events.map { $0.subject?.rawValue }),
            .texts(events.map { $0.session?.rawValue }), .texts(events.map(\.address)),
            .bytesList(try events.map { try Self.document($0.details) }),
        ]
        let names = lists.map { text.bind($0) }.joined(separator: ", ")
        return insertion(
            named: "record",
            """
            SELECT e.id, e.kind, e.time, e.subject, e.session, e.address, e.details, e.ordinal
            FROM unnest(\(names)) WITH ORDINALITY AS e (id, kind, time, subject, session, address, details, ordinal)
            WHERE EXISTS (SELECT FROM \(guardian))
            """)
    }

    /// The parts of a `WITH` that insert a revocation for each row of `ended`, an earlier part with the columns `id`,
    /// `subject` and `details`.
    func revocations(of ended: String, at now: String) -> String {
        insertion(
            named: "ends",
            """
            SELECT gen_random_uuid(), 'revocation', \(now)::int8, subject, id, NULL, details,
                1000 + row_number() OVER (ORDER BY id)
            FROM \(ended)
            """)
    }

    private func insertion(named name: String, _ selection: String) -> String {
        let columns = "id, kind, time, subject, session, address, details, ordinal"
        let rows = ", \(name) (\(columns)) AS MATERIALIZED (\(selection))"
        let tables = leavesToServers ? ["events", "unannounced"] : ["events"]
        return rows
            + tables.map { table in
                """
                , \(name)_\(table) AS (INSERT INTO cloakroom.\(table) (\(columns)) SELECT \(columns) FROM \(name) \
                ON CONFLICT DO NOTHING)
                """
            }.joined()
    }

    static func months(_ events: [SecurityEvent]) -> Set<EventMonth> {
        Set(events.filter(\.kind.isRecorded).map { EventMonth(of: $0.time) })
    }

    static func document(_ details: SecurityEvent.Details) throws -> [UInt8]? {
        details == SecurityEvent.Details() ? nil : Array(try JSONEncoder().encode(details))
    }

    /// Never fails: a single row that a newer version wrote must not stop the reader of the record.
    /// - Parameter first: the position of the first of `columns`.
    static func event(_ row: SQLRow, from first: Int32 = 0) -> SecurityEvent {
        let details = row.optionalBytes(first + 5).map { document in
            (try? DocumentDecoder.decode(SecurityEvent.Details.self, from: document)) ?? .unreadable
        }
        return SecurityEvent(
            SecurityEvent.Kind(rawValue: row.text(first)), at: row.instant(first + 1),
            subject: row.optionalText(first + 2).map { Subject($0) },
            session: row.optionalText(first + 3).map { SessionID($0) }, address: row.optionalText(first + 4),
            details: details ?? SecurityEvent.Details())
    }
}
