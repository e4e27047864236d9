import CloakroomCore
import CloakroomStores
import Synchronization

/// Merges refusals, which a client can cause by the thousand, into one event per minute for each account or network,
/// with their number.
final class RefusalTally: Sendable {
    private struct Name: Hashable {
        let kind: SecurityEvent.Kind
        /// nil for all payers beyond `capacity`, which share one entry.
        let payer: Refusal.Payer?
    }

    private struct Entry {
        var writtenAt: Duration
        var omitted = 0
        /// The latest of the counted events.
        var event: SecurityEvent
    }

    private let entries = Mutex<[Name: Entry]>([:])
    private let capacity: Int
    static let interval = Duration.seconds(60)

    /// - Parameter capacity: the number of accounts and networks that have entries of their own within a minute.
    init(capacity: Int = 128) {
        self.capacity = capacity
    }

    /// Counts one refusal.
    /// - Returns: the event to record for it and for those before it; nil if one was recorded less than a minute ago.
    func count(_ event: SecurityEvent, of payer: Refusal.Payer, at uptime: Duration) -> SecurityEvent? {
        entries.withLock { entries in
            let name = name(event.kind, payer, in: &entries, at: uptime)
            guard var entry = entries[name] else {
                entries[name] = Entry(writtenAt: uptime, event: event)
                return Self.event(event, name, count: 1)
            }
            entry.omitted += 1
            entry.event = event
            defer { entries[name] = entry }
            return Self.write(&entry, name, at: uptime)
        }
    }

    /// Returns the events of refusals that were counted but not recorded, once their minute is over.
    func due(at uptime: Duration) -> [SecurityEvent] {
        entries.withLock { entries in
            var events: [SecurityEvent] = []
            for (name, var entry) in entries where uptime - entry.writtenAt >= Self.interval {
                if entry.omitted > 0, let event = Self.write(&entry, name, at: uptime) {
                    events.append(event)
                    entries[name] = entry
                } else {
                    entries[name] = nil
                }
            }
            return events
        }
    }

    /// Returns the events of all refusals that were counted but not recorded, for the end of the process.
    func rest() -> [SecurityEvent] {
        entries.withLock { entries in
            defer { entries = [:] }
            return entries.filter { $0.value.omitted > 0 }.map { Self.event($1.event, $0, count: $1.omitted) }
        }
    }

    private func name(
        _ kind: SecurityEvent.Kind, _ payer: Refusal.Payer, in entries: inout [Name: Entry], at uptime: Duration
    ) -> Name {
        let own = Name(kind: kind, payer: payer)
        guard entries[own] == nil, entries.count >= capacity else { return own }
        return Name(kind: kind, payer: nil)
    }

    private static func write(_ entry: inout Entry, _ name: Name, at uptime: Duration) -> SecurityEvent? {
        guard uptime - entry.writtenAt >= interval else { return nil }
        defer { entry = Entry(writtenAt: uptime, event: entry.event) }
        return event(entry.event, name, count: entry.omitted)
    }

    private static func event(_ event: SecurityEvent, _ name: Name, count: Int) -> SecurityEvent {
        let payer: SecurityEvent.Details.Payer
        switch name.payer {
        case .account: payer = .account
        case .network: payer = .network
        // The entry merges many requesters, so the event names none.
        case nil: return SecurityEvent(event.kind, at: event.time, details: .init(payer: .others, count: count))
        }
        return SecurityEvent(
            event.kind, at: event.time, subject: event.subject, address: event.address,
            details: .init(payer: payer, count: count))
    }
}
