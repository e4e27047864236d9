import CloakroomCore
import CloakroomFiles
import CloakroomStores
import CloakroomTokens
import Crypto

/// The rows of a key store, opened.
struct KeyRing: Sendable {
    let rows: [KeyRow]
    /// nil while there are no keys.
    let keys: IssuerKeys?

    /// - Throws: `UnusableKeys`, and `UnusableData` for keys that do not make a set.
    init(_ rows: [KeyRow], with secrets: MasterSecrets) throws {
        self.rows = rows
        let live = rows.filter(\.isLive)
        guard !live.isEmpty else {
            keys = nil
            return
        }
        let entries = try live.map { try KeyEntry($0, with: secrets) }
        do {
            keys = try IssuerKeys(
                entries, removed: rows.filter { $0.state == .removed }.map(\.id),
                longestSession: live.map(\.longestSession).max() ?? .zero)
        } catch let refusal as IssuerKeys.Refusal {
            throw UnusableData(.damaged, "the keys in the store cannot be used: \(refusal.reason)")
        } catch let refusal as KeySet.Refusal {
            throw UnusableData(.damaged, "the keys in the store cannot be used: \(refusal.reason)")
        }
    }

    /// A digest of the rows.
    var revision: KeyRevision {
        var digest = SHA256()
        for row in rows { digest.update(data: row.identity.authenticatedBytes + row.stateBytes) }
        return KeyRevision(digest: Array(digest.finalize()))
    }

    /// The change that puts back what a store has lost that was read as these rows before; nil if it has all of them.
    ///
    /// A failover or a restored backup loses rows. A key may have signed tokens meanwhile, and the mark of a removed one
    /// keeps a thief's tokens out.
    func repair(of found: [KeyRow], sealing secret: () throws -> MasterSecret) throws -> KeyTableChange? {
        let present = Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0.state) })
        var change = KeyTableChange()
        var periods = Periods(found)
        for (row, entry) in zip(rows.filter(\.isLive), entries) where present[row.id] == nil {
            let period = periods.take(row.identity.period, of: entry)
            change.added.append(try entry.sealed(as: period, under: secret(), longestSession: row.longestSession))
        }
        change.removed = rows.filter { $0.state == .removed && present[$0.id] != .removed }.map(\.id)
        return change.isEmpty ? nil : change
    }

    /// The change that makes `wanted` of these keys.
    func change(to wanted: IssuerKeys, sealing secret: MasterSecret) throws -> KeyTableChange {
        var change = KeyTableChange()
        var periods = Periods(rows)
        let (live, all) = (Set(entries.map(\.id)), Set(rows.map(\.id)))
        for entry in wanted.entries where !all.contains(entry.id) {
            let period = periods.take(nil, of: entry)
            change.added.append(try entry.sealed(as: period, under: secret, longestSession: wanted.longestSession))
        }
        let removed = Set(keys?.removed ?? [])
        change.removed = wanted.removed.filter { !removed.contains($0) }
        change.retired = live.subtracting(wanted.entries.map(\.id)).subtracting(change.removed).sorted()
        if let keys, wanted.longestSession > keys.longestSession { change.longestSession = wanted.longestSession }
        return change
    }

    /// Whether these rows, read after the change, have what it wanted: each key, or another instance's key of the same
    /// period that does not sign much later.
    func settles(_ change: KeyTableChange) -> Bool {
        change.added.allSatisfy { added in
            rows.contains { row in
                if row.id == added.id { return true }
                let (own, wanted) = (row.identity, added.identity)
                return own.kind == wanted.kind && own.algorithm == wanted.algorithm && own.period == wanted.period
                    && row.isLive && own.signsFrom <= wanted.signsFrom + .minutes(1)
            }
        }
    }

    /// The live rows whose seal is not of this secret, sealed again.
    func resealing(under secret: MasterSecret) throws -> [KeyTableChange.Reseal] {
        try zip(rows.filter(\.isLive), entries).compactMap { row, entry -> KeyTableChange.Reseal? in
            guard case .live(let sealed) = row.state, SealedKey.secretID(of: sealed) != secret.id else { return nil }
            let new = try SealedKey.seal(entry.material, of: row.identity, under: secret)
            return .init(id: row.id, old: sealed, new: new)
        }
    }

    /// In the order of the live rows.
    private var entries: [KeyEntry] {
        let entries = Dictionary(uniqueKeysWithValues: (keys?.entries ?? []).map { ($0.id, $0) })
        return rows.filter(\.isLive).compactMap { entries[$0.id] }
    }
}

/// The periods that are not taken.
private struct Periods {
    private struct Sequence: Hashable {
        let kind: KeyIdentity.Kind
        let algorithm: String
    }

    private var taken: [Sequence: Set<Int64>] = [:]

    init(_ rows: [KeyRow]) {
        for row in rows {
            guard let period = row.identity.period else { continue }
            taken[Sequence(kind: row.identity.kind, algorithm: row.identity.algorithm), default: []].insert(period)
        }
    }

    /// - Parameter wanted: the period that the key had; nil for a new key.
    mutating func take(_ wanted: Int64?, of entry: KeyEntry) -> Int64 {
        let sequence = Sequence(kind: entry.kind, algorithm: entry.algorithm)
        let taken = taken[sequence, default: []]
        let next = (taken.max() ?? -1) + 1
        let period = wanted.flatMap { taken.contains($0) ? nil : $0 } ?? next
        self.taken[sequence, default: []].insert(period)
        return period
    }
}

extension KeyRow {
    var isLive: Bool {
        if case .live = state { true } else { false }
    }

    fileprivate var stateBytes: [UInt8] {
        let state: [UInt8] =
            switch state {
            case .live(let sealed): sealed
            case .retired: [0]
            case .removed: [1]
            }
        return state + Array("\(longestSession.milliseconds);".utf8)
    }
}
