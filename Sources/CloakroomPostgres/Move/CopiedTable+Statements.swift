import CloakroomCore
import CloakroomStores

extension CopiedTable {
    var keyColumns: [Column] { Array(columns.prefix(keyLength)) }

    private var key: String { keyColumns.map(\.name).joined(separator: ", ") }

    /// Reads the keys and the digests of the rows between two keys.
    func digests(after start: CopiedRow.Key?, through end: CopiedRow.Key?) -> Statement {
        var text = StatementText()
        let conditions = [(start, ">"), (end, "<=")].compactMap { bound, comparison in
            bound.map { bound in
                let names = zip(keyColumns, bound.values).map { $0.cast(text.bind($1.parameter)) }
                return "(\(key)) \(comparison) (\(names.joined(separator: ", ")))"
            }
        }
        let encoded = columns.map(\.encoded).joined(separator: " || ")
        let keys = keyColumns.map(\.readable).joined(separator: ", ")
        return .single(
            """
            SELECT \(keys), sha256(\(encoded)) FROM cloakroom.\(rawValue)
            WHERE \((["TRUE"] + conditions).joined(separator: " AND "))
            """, text.values)
    }

    func deletion(_ keys: [CopiedRow.Key]) -> Statement {
        let names = keyColumns.map(\.name)
        let parameters = names.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
        let matches = keyColumns.map { "kept.\($0.name) = \($0.cast("gone.\($0.name)"))" }.joined(separator: " AND ")
        return Statement(
            """
            DELETE FROM cloakroom.\(rawValue) AS kept
            USING unnest(\(parameters)) AS gone (\(names.joined(separator: ", "))) WHERE \(matches)
            """, keyColumns.enumerated().map { index, column in column.list(keys.map { $0.values[index] }) })
    }

    /// Inserts rows, or writes them over rows with the same keys. An event is never changed.
    func insertion(_ rows: [CopiedRow]) -> Statement {
        let lists = columns.enumerated().map { index, column in column.list(rows.map { $0.values[index] }) }
        let own = ownColumns(rows)
        let names = (columns.map(\.name) + own.map(\.name)).joined(separator: ", ")
        let parameters = (1...(columns.count + own.count)).map { "$\($0)" }.joined(separator: ", ")
        let selected = columns.map { $0.cast($0.name) } + own.map(\.name)
        let changes = (columns.dropFirst(keyLength).map(\.name) + own.map(\.name)).map { "\($0) = excluded.\($0)" }
        let conflict =
            isAppendOnly || changes.isEmpty
            ? "ON CONFLICT DO NOTHING" : "ON CONFLICT (\(key)) DO UPDATE SET \(changes.joined(separator: ", "))"
        return Statement(
            """
            INSERT INTO cloakroom.\(rawValue) (\(names))
            SELECT \(selected.joined(separator: ", ")) FROM unnest(\(parameters)) AS r (\(names)) \(conflict)
            """, lists + own.map(\.list), months: self == .events ? Set(rows.compactMap(\.month)) : [])
    }

    /// The columns that only PostgreSQL has.
    private func ownColumns(_ rows: [CopiedRow]) -> [(name: String, list: SQLValue)] {
        func random() -> SQLValue { .ints(rows.map { _ in Int64.random(in: 1...Int64.max) }) }
        switch self {
        case .sessions: return [("version", random()), ("last_seen_day", .ints(rows.map(lastSeenDay)))]
        case .oneTime: return [("put_by", random())]
        case .accounts, .subjects, .credentials, .knownNetworks, .revocations, .staleMarks, .events, .unannounced:
            return []
        }
    }

    private func lastSeenDay(_ row: CopiedRow) -> Int64? {
        guard case .text(let id) = row.values[0], let index = columns.firstIndex(where: { $0.name == "last_seen_at" }),
            case .int(let time) = row.values[index]
        else { return nil }
        return SessionRow.day(of: Instant(milliseconds: time), in: id)
    }
}

extension CopiedRow {
    /// Of an event, whose second column is its time.
    fileprivate var month: EventMonth? {
        guard case .int(let time) = values[1] else { return nil }
        return EventMonth(of: Instant(milliseconds: time))
    }
}
