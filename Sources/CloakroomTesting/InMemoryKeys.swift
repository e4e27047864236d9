package import CloakroomCore
package import CloakroomStores
import Synchronization

/// A key store in memory. A test can lose its rows, and let it fail.
package final class InMemoryKeys: KeyStore {
    package struct Down: Error {
        package init() {}
    }

    private struct State {
        var rows: [String: Row] = [:]
        var isDown = false
        var reads = 0
    }

    private struct Row {
        var row: KeyRow
        var endedAt: Instant?
    }

    private let now: @Sendable () -> Instant
    private let state = Mutex(State())

    /// - Parameter now: the clock of the store.
    package init(now: @escaping @Sendable () -> Instant) {
        self.now = now
    }

    /// The number of reads so far.
    package var reads: Int { state.withLock { $0.reads } }

    package func setDown(_ isDown: Bool) {
        state.withLock { $0.isDown = isDown }
    }

    /// The rows as of now, for `restore`.
    package var rows: [KeyRow] { state.withLock { $0.rows.values.map(\.row).sorted { $0.id < $1.id } } }

    /// Replaces all rows, as an older backup does.
    package func restore(_ rows: [KeyRow]) {
        state.withLock { state in
            state.rows = Dictionary(uniqueKeysWithValues: rows.map { ($0.id, Row(row: $0)) })
        }
    }

    package func keyRows() async throws -> [KeyRow] {
        try state.withLock { state in
            state.reads += 1
            if state.isDown { throw Down() }
            return state.rows.values.map(\.row).sorted { $0.id < $1.id }
        }
    }

    package func change(_ change: KeyTableChange) async throws {
        try state.withLock { state in
            if state.isDown { throw Down() }
            for row in change.added where !Self.isTaken(row, state.rows) { state.rows[row.id] = Row(row: row) }
            for id in change.retired { end(id, as: .retired, &state) }
            for id in change.removed { end(id, as: .removed, &state) }
            for reseal in change.resealed where state.rows[reseal.id]?.row.state == .live(sealed: reseal.old) {
                replace(reseal.id, &state) {
                    KeyRow($0.identity, .live(sealed: reseal.new), longestSession: $0.longestSession)
                }
            }
            for (id, entry) in state.rows
            where Self.isLive(entry.row) && entry.row.longestSession < change.longestSession {
                replace(id, &state) { KeyRow($0.identity, $0.state, longestSession: change.longestSession) }
            }
            let last = now() - KeyTableChange.retiredMarksLast
            state.rows = state.rows.filter { $0.value.row.state != .retired || ($0.value.endedAt ?? now()) >= last }
        }
    }

    private func replace(_ id: String, _ state: inout State, _ change: (KeyRow) -> KeyRow) {
        if let entry = state.rows[id] { state.rows[id]?.row = change(entry.row) }
    }

    private func end(_ id: String, as end: KeyRow.State, _ state: inout State) {
        guard let entry = state.rows[id] else {
            guard end == .removed else { return }
            let identity = KeyIdentity(
                id: id, kind: .signing, algorithm: "", period: nil, createdAt: now(), signsFrom: now())
            state.rows[id] = Row(row: KeyRow(identity, .removed, longestSession: .zero), endedAt: now())
            return
        }
        guard Self.isLive(entry.row) || end == .removed, entry.row.state != .removed else { return }
        state.rows[id] = Row(
            row: KeyRow(entry.row.identity, end, longestSession: entry.row.longestSession),
            endedAt: entry.endedAt ?? now())
    }

    private static func isLive(_ row: KeyRow) -> Bool {
        if case .live = row.state { true } else { false }
    }

    private static func isTaken(_ new: KeyRow, _ rows: [String: Row]) -> Bool {
        rows[new.id] != nil
            || rows.values.contains { entry in
                let own = entry.row.identity
                return own.kind == new.identity.kind && own.algorithm == new.identity.algorithm && own.period != nil
                    && own.period == new.identity.period
            }
    }
}
