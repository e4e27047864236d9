import CloakroomCore
package import CloakroomStores

/// The keys, sealed. All instances write the few rows of one table, in the order of their periods.
extension PostgresStore: KeyStore {
    private static let columns = "id, kind, algorithm, period, created_at, signs_from, longest_session, sealed, ended"
    private static let now = StoreClock.sql

    package func keyRows() async throws -> [KeyRow] {
        let statement = Statement("SELECT \(Self.columns) FROM cloakroom.keys ORDER BY id")
        return try await sessions.read([statement]) { $0[0].map(Self.keyRow).compactMap { $0 } }
    }

    package func change(_ change: KeyTableChange) async throws {
        let statements = additions(change.added) + Self.ends(change) + Self.updates(change)
        guard !statements.isEmpty else { return }
        try await sessions.perform("keys") { .repeatable(statements, $0) { _ in } }
    }

    /// Of two instances that add the same period, one waits for the other's commit and then skips its own row.
    ///
    /// No row is added while a migration fills the database: an instance that has opened it just before would be the first
    /// to make keys, and then the keys of the sessions that are copied would find their periods taken.
    private func additions(_ rows: [KeyRow]) -> [Statement] {
        let live = rows.compactMap { row in
            if case .live(let sealed) = row.state { (row, sealed) } else { nil }
        }.sorted { ($0.0.identity.order, $0.0.id) < ($1.0.identity.order, $1.0.id) }
        guard !live.isEmpty else { return [] }
        let identities = live.map(\.0.identity)
        let values: [SQLValue] = [
            .texts(identities.map(\.id)), .texts(identities.map(\.kind.rawValue)), .texts(identities.map(\.algorithm)),
            .ints(identities.map(\.period)), .ints(identities.map(\.createdAt.milliseconds)),
            .ints(identities.map(\.signsFrom.milliseconds)), .ints(live.map(\.0.longestSession.milliseconds)),
            .bytesList(live.map(\.1)),
        ]
        return [
            Epochs.lock,
            Statement(
                """
                INSERT INTO cloakroom.keys (
                    id, kind, algorithm, period, created_at, signs_from, longest_session, sealed)
                SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) WHERE $9 OR NOT \(Move.isUnfinished)
                ON CONFLICT DO NOTHING
                """, values + [.bool(isFilling)]),
        ]
    }

    private static func ends(_ change: KeyTableChange) -> [Statement] {
        var statements: [Statement] = []
        if !change.removed.isEmpty {
            let marks = Statement(
                """
                INSERT INTO cloakroom.keys AS kept (
                    id, kind, algorithm, created_at, signs_from, longest_session, ended, ended_at)
                SELECT id, 'signing', '', \(now), \(now), 0, 'removed', \(now) FROM unnest($1) AS id
                ON CONFLICT (id) DO UPDATE
                SET sealed = NULL, ended = 'removed', ended_at = coalesce(kept.ended_at, excluded.ended_at)
                """, [.texts(change.removed.sorted())])
            statements.append(marks)
        }
        if !change.retired.isEmpty {
            statements += [
                Statement(
                    """
                    UPDATE cloakroom.keys SET sealed = NULL, ended = 'retired', ended_at = \(now)
                    WHERE id = ANY ($1) AND ended IS NULL
                    """, [.texts(change.retired)]),
                Statement(
                    "DELETE FROM cloakroom.keys WHERE ended = 'retired' AND ended_at < \(now) - $1",
                    [.int(KeyTableChange.retiredMarksLast.milliseconds)]),
            ]
        }
        return statements
    }

    private static func updates(_ change: KeyTableChange) -> [Statement] {
        var statements: [Statement] = []
        if !change.resealed.isEmpty {
            let resealing = Statement(
                """
                UPDATE cloakroom.keys AS kept SET sealed = other.sealed
                FROM unnest($1, $2, $3) AS other (id, old, sealed) WHERE kept.id = other.id AND kept.sealed = other.old
                """,
                [
                    .texts(change.resealed.map(\.id)), .bytesList(change.resealed.map(\.old)),
                    .bytesList(change.resealed.map(\.new)),
                ])
            statements.append(resealing)
        }
        if change.longestSession > .zero {
            let raising = Statement(
                "UPDATE cloakroom.keys SET longest_session = $1 WHERE longest_session < $1 AND ended IS NULL",
                [.int(change.longestSession.milliseconds)])
            statements.append(raising)
        }
        return statements
    }

    /// - Returns: nil for the only row of an empty table, and for a kind of key that only a newer build knows.
    private static func keyRow(_ row: SQLRow) -> KeyRow? {
        guard let kind = KeyIdentity.Kind(rawValue: row.text(1)) else { return nil }
        let state: KeyRow.State =
            switch row.optionalText(8) {
            case nil: .live(sealed: row.bytes(7))
            case "removed": .removed
            case .some: .retired
            }
        return KeyRow(
            KeyIdentity(
                id: row.text(0), kind: kind, algorithm: row.text(2), period: row.optionalInt(3),
                createdAt: row.instant(4),
                signsFrom: row.instant(5)),
            state, longestSession: Span(milliseconds: row.int(6)))
    }
}

extension KeyIdentity {
    fileprivate var order: String { "\(kind.rawValue) \(algorithm) \(period ?? -1)" }
}
