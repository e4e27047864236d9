import CloakroomCore
import Synchronization

/// Revoked sessions, each with the time of its arrival.
///
/// It has a million entries after an administrator ended the sessions of a large site. An id that the issuer made is
/// therefore kept as the 144 bits that it spells, and the entries are spread over many small tables: no reader waits while
/// one of them grows or is cleaned.
final class RevokedSessions: Sendable {
    /// Units of a sixteenth of a second: 32 bits of them are eight years.
    private typealias Tick = UInt32

    private struct Table {
        var arrivals: [SessionBits: Tick] = [:]
        /// Sessions whose id is not of the issuer's form.
        var others: [SessionID: Tick] = [:]
        var isEmpty: Bool { arrivals.isEmpty && others.isEmpty }
    }

    /// A table with its lock.
    private final class Shard: Sendable {
        let table = Mutex(Table())
    }

    private let shards: [Shard] = (0..<64).map { _ in Shard() }

    /// The last bits of an id are spread evenly.
    private func shard(_ key: SessionBits?) -> Shard { shards[Int(key?.low ?? 0) & 63] }

    func insert(_ session: SessionID, at uptime: Duration) {
        let (key, tick) = (SessionBits(session), Self.tick(uptime))
        shard(key).table.withLock { table in
            if let key { table.arrivals[key] = tick } else { table.others[session] = tick }
        }
    }

    func contains(_ session: SessionID) -> Bool {
        let key = SessionBits(session)
        return shard(key).table.withLock { table in
            if let key { table.arrivals[key] != nil } else { table.others[session] != nil }
        }
    }

    var count: Int {
        shards.reduce(0) { sum, shard in sum + shard.table.withLock { $0.arrivals.count + $0.others.count } }
    }

    /// Drops the sessions that arrived before `uptime`.
    func drop(before uptime: Duration) {
        let limit = Self.tick(uptime)
        for shard in shards {
            shard.table.withLock { table in
                guard !table.isEmpty else { return }
                table.arrivals = table.arrivals.filter { $0.value >= limit }
                table.others = table.others.filter { $0.value >= limit }
            }
        }
    }

    /// The sessions that arrived at `uptime` or before, the latest first.
    func arrived(upTo uptime: Duration) -> [SessionID] {
        let limit = Self.tick(uptime)
        var found: [(session: SessionID, tick: Tick)] = []
        for shard in shards {
            shard.table.withLock { table in
                for (key, tick) in table.arrivals where tick <= limit { found.append((key.session, tick)) }
                for (session, tick) in table.others where tick <= limit { found.append((session, tick)) }
            }
        }
        return found.sorted { $0.tick > $1.tick }.map(\.session)
    }

    /// The indexes of the revoked sessions in each status list that has one.
    func byStatusList() -> [StatusListID: [UInt16]] {
        var lists: [StatusListID: [UInt16]] = [:]
        for shard in shards {
            shard.table.withLock { table in
                for key in table.arrivals.keys {
                    guard let entry = key.statusListEntry else { continue }
                    lists[entry.list, default: []].append(entry.index)
                }
            }
        }
        return lists
    }

    /// Rounds up, so that no entry is dropped too early.
    private static func tick(_ uptime: Duration) -> Tick {
        let (seconds, attoseconds) = uptime.components
        let sixteenth: Int64 = 62_500_000_000_000_000
        return Tick(clamping: seconds * 16 + (attoseconds + sixteenth - 1) / sixteenth)
    }
}
