import CloakroomCore
package import CloakroomStores
package import Logging
import Metrics
import Synchronization

/// Writes security events as structured log lines and counts them.
///
/// Every event is counted. Lines that a client can cause at will are sampled, so that a flood of requests does not fill
/// the disk.
package final class SecurityLog: Sendable {
    private struct Second {
        var start: Duration
        var lines = 0
        var omitted = 0
    }

    private let logger: Logger
    private let uptime: @Sendable () -> Duration
    private let seconds = Mutex<[SecurityEvent.Kind: Second]>([:])
    /// The limit for each sampled kind.
    static let linesPerSecond = 10

    /// - Parameter uptime: a monotonic clock.
    package init(logger: Logger, uptime: @escaping @Sendable () -> Duration = Environment.system.uptime) {
        self.logger = logger
        self.uptime = uptime
    }

    package func write(_ events: [SecurityEvent]) {
        for event in events {
            count(event.kind)
            describe(event)
        }
    }

    /// Counts an event that gets no line of its own.
    package func count(_ kind: SecurityEvent.Kind) {
        Self.counters[kind]?.increment()
    }

    /// Writes the line of an event that was counted before.
    package func describe(_ event: SecurityEvent) {
        let level = level(of: event.kind)
        guard level >= logger.logLevel, let omitted = lineIsDue(event.kind) else { return }
        var metadata = metadata(of: event)
        if omitted > 0 { metadata["omitted"] = "\(omitted)" }
        logger.log(level: level, "\(event.kind.rawValue)", metadata: metadata)
    }

    /// - Returns: how many lines of the kind were left out before this one, or nil when this one is left out too.
    private func lineIsDue(_ kind: SecurityEvent.Kind) -> Int? {
        guard kind.traits?.isSampled == true else { return 0 }
        let now = uptime()
        return seconds.withLock { seconds in
            var second = seconds[kind] ?? Second(start: now)
            defer { seconds[kind] = second }
            if now - second.start >= .seconds(1) { second = Second(start: now, omitted: second.omitted) }
            guard second.lines < Self.linesPerSecond else {
                second.omitted += 1
                return nil
            }
            second.lines += 1
            defer { second.omitted = 0 }
            return second.omitted
        }
    }

    /// Created once: to look a counter up by its name takes longer than to increment it.
    private static let counters = Dictionary(
        uniqueKeysWithValues: SecurityEvent.Kind.all.map { kind in
            (kind, Counter(label: "cloakroom_security_events_total", dimensions: [("event", kind.rawValue)]))
        })

    private func metadata(of event: SecurityEvent) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["event": "\(event.kind.rawValue)"]
        metadata["subject"] = event.subject.map { "\($0)" }
        metadata["session"] = event.session.map { "\($0)" }
        metadata["address"] = event.address.map { "\($0)" }
        for (name, value) in event.details.named { metadata[name] = "\(value)" }
        return metadata
    }

    private func level(of kind: SecurityEvent.Kind) -> Logger.Level {
        switch kind.traits?.severity {
        case .debug: .debug
        case .warning: .warning
        case .info, nil: .info
        }
    }
}
