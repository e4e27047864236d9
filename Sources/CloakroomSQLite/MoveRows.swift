package import CloakroomCore
package import CloakroomStores
import Foundation
import GRDB

/// The rows of the source of a move, in one snapshot.
package struct MoveRows {
    let database: Database
    let migration: Int64

    /// Calls `body` with the rows in the order of their keys.
    /// - Parameter start: the position of an event, after which those of the record begin.
    package func pages(
        of table: CopiedTable, after start: Int64, by size: Int, _ body: ([CopiedRow]) throws -> Void
    ) throws {
        let cursor = try Row.fetchCursor(
            database, sql: Self.selection(table), arguments: table.isAppendOnly ? [start] : [])
        var page: [CopiedRow] = []
        while let row = try cursor.next() {
            page.append(read(row, table))
            guard page.count == size else { continue }
            try body(page)
            page.removeAll(keepingCapacity: true)
        }
        if !page.isEmpty { try body(page) }
    }

    /// The position of the newest event.
    package func newestEvent() throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT max(position) FROM events") ?? 0
    }

    /// The key of the event at a position, whether there is one or not.
    package func key(ofEventAt position: Int64) -> CopiedRow.Key {
        CopiedRow.Key([.text(Self.id(ofEventAt: position, in: migration))])
    }

    /// The ids of the refresh secrets that live sessions need.
    package func refreshKeys(at now: Instant) throws -> Set<String> {
        try String.fetchSet(
            database, sql: "SELECT DISTINCT refresh_key FROM sessions WHERE revoked_at IS NULL AND expires_at > ?",
            arguments: [now.milliseconds])
    }

    private static func selection(_ table: CopiedTable) -> String {
        let names = table.columns.map(\.name)
        switch table {
        case .accounts, .subjects, .credentials, .knownNetworks, .oneTime, .sessions:
            let key = names.prefix(table.keyLength).joined(separator: ", ")
            return "SELECT \(names.joined(separator: ", ")) FROM \(table.rawValue) ORDER BY \(key)"
        case .revocations:
            return """
                SELECT session, min(time) FROM revocations WHERE session IS NOT NULL GROUP BY session ORDER BY session
                """
        case .staleMarks:
            return "SELECT DISTINCT subject, time FROM revocations WHERE subject IS NOT NULL ORDER BY subject, time"
        case .events: return events("events WHERE position > ?")
        case .unannounced: return events("unannounced JOIN events USING (position)")
        }
    }

    private static func events(_ tables: String) -> String {
        """
        SELECT position, time, kind, subject, session, address, details, position % 1000000000
        FROM \(tables) ORDER BY position
        """
    }

    private func read(_ row: Row, _ table: CopiedTable) -> CopiedRow {
        CopiedRow(
            table.columns.enumerated().map { index, column in
                guard !row.hasNull(atIndex: index) else { return .null }
                return switch column.kind {
                case .int: .int(row[index])
                case .bool: .bool(row[index])
                case .text: .text(row[index])
                case .bytes: .bytes(Array(row[index] as Data))
                case .uuid: .text(Self.id(ofEventAt: row[index], in: migration))
                }
            })
    }

    /// A UUID of version 8 (RFC 9562), in the order of the positions. A run that continues another one gives an event the
    /// same id, and so no event is in the target twice.
    static func id(ofEventAt position: Int64, in migration: Int64) -> String {
        let bytes: [UInt8] =
            withUnsafeBytes(of: migration.bigEndian) { Array($0.prefix(6)) } + [0x80, 0, 0x80]
            + withUnsafeBytes(of: position.bigEndian) { Array($0.dropFirst()) }
        let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { digits[$0].joined() }.joined(separator: "-")
    }
}

extension Row {
    fileprivate func hasNull(atIndex index: Int) -> Bool {
        (self[index] as DatabaseValue).isNull
    }
}
