package import Logging
import Metrics

/// Writes security events as structured log lines and counts them.
package struct SecurityLog: Sendable {
    private let logger: Logger

    package init(logger: Logger) {
        self.logger = logger
    }

    package func write(_ events: [SecurityEvent]) {
        for event in events {
            let level = level(of: event.kind)
            if level >= logger.logLevel {
                logger.log(level: level, "\(event.kind.rawValue)", metadata: metadata(of: event))
            }
            Self.counters[event.kind]?.increment()
        }
    }

    /// Made once: to find one by its name takes longer than to count.
    private static let counters = Dictionary(
        uniqueKeysWithValues: SecurityEvent.Kind.allCases.map { kind in
            (kind, Counter(label: "cloakroom_security_events_total", dimensions: [("event", kind.rawValue)]))
        })

    private func metadata(of event: SecurityEvent) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["event": "\(event.kind.rawValue)"]
        metadata["subject"] = event.subject.map { "\($0)" }
        metadata["session"] = event.session.map { "\($0)" }
        metadata["address"] = event.address.map { "\($0)" }
        metadata["detail"] = event.detail.map { "\($0)" }
        return metadata
    }

    private func level(of kind: SecurityEvent.Kind) -> Logger.Level {
        switch kind {
        case .reuse, .adoption, .restore: .warning
        case .renewal: .debug
        case .signUp, .login, .loginFailed, .loginRateLimited, .stepUp, .stepUpFailed, .revocation, .passwordChange,
            .accountDisabled, .accountEnabled:
            .info
        }
    }
}
