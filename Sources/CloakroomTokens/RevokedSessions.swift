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

    /// The bits of an id of the issuer: 24 characters in base64url.
    private struct Key: Hashable {
        let high: UInt64
        let middle: UInt64
        let low: UInt32

        /// nil for every other text. No two texts have the same bits.
        init?(_ session: SessionID) {
            var text = session.rawValue
            let parts = text.withUTF8 { bytes -> (UInt64, UInt64, UInt64)? in
                guard bytes.count == 24, let high = Self.bits(bytes[..<10]), let middle = Self.bits(bytes[10..<20]),
                    let low = Self.bits(bytes[20...])
                else { return nil }
                return (high, middle, low)
            }
            guard let parts else { return nil }
            (high, middle, low) = (parts.0, parts.1, UInt32(parts.2))
        }

        private static func bits(_ characters: Slice<UnsafeBufferPointer<UInt8>>) -> UInt64? {
            var bits: UInt64 = 0
            for character in characters {
                let digit = Base64URL.digit(character)
                guard digit < 64 else { return nil }
                bits = bits << 6 | UInt64(digit)
            }
            return bits
        }

        var session: SessionID {
            let parts = [(high, 10), (middle, 10), (UInt64(low), 4)] as [(UInt64, UInt64)]
            let characters = parts.flatMap { bits, count in
                (0..<count).map { Base64URL.character(UInt8(bits >> (6 * (count - 1 - $0)) & 63)) }
            }
            return SessionID(String(decoding: characters, as: UTF8.self))
        }
    }

    private struct Table {
        var arrivals: [Key: Tick] = [:]
        /// Sessions whose id is not of the issuer's form.
        var others: [SessionID: Tick] = [:]
        var isEmpty: Bool { arrivals.isEmpty && others.isEmpty }
    }

    /// A table with its lock.
    private final class Shard: Sendable {
        let table = Mutex(Table())
    }

    private let shards: [Shard] = (0..<64).map { _ in Shard() }

    /// The last bits of an id are random.
    private func shard(_ key: Key?) -> Shard { shards[Int(key?.low ?? 0) & 63] }

    func insert(_ session: SessionID, at uptime: Duration) {
        let (key, tick) = (Key(session), Self.tick(uptime))
        shard(key).table.withLock { table in
            if let key { table.arrivals[key] = tick } else { table.others[session] = tick }
        }
    }

    func contains(_ session: SessionID) -> Bool {
        let key = Key(session)
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

    /// Rounds up, so that no entry is dropped too early.
    private static func tick(_ uptime: Duration) -> Tick {
        let (seconds, attoseconds) = uptime.components
        let sixteenth: Int64 = 62_500_000_000_000_000
        return Tick(clamping: seconds * 16 + (attoseconds + sixteenth - 1) / sixteenth)
    }
}
