package import CloakroomCore
import HTTPTypes
package import Hummingbird
package import Logging
import Metrics
import Synchronization

/// Logs and counts denials by code: every denial at level debug, and a sample of those that a wrong configuration
/// causes at a higher level.
package struct DenialLog: Sendable {
    private let logger: Logger
    private let sampled: SampledLog
    private let describe: @Sendable (Request) -> Logger.Metadata

    /// - Parameter describe: more log metadata for a denied request.
    package init(logger: Logger, describe: @escaping @Sendable (Request) -> Logger.Metadata = { _ in [:] }) {
        self.logger = logger
        self.describe = describe
        sampled = SampledLog(logger: logger)
    }

    package func write(_ denial: Denial, of request: Request) {
        Self.count(denial)
        if logger.logLevel <= .debug {
            logger.debug(
                "a request was refused",
                metadata: metadata(of: request).merging(["code": "\(denial.code)", "denial": "\(denial)"]) { $1 })
        }
        guard denial == .crossSiteRequest else { return }
        if request.headers[.origin] == "null", request.headers[.secFetchSite] == "same-origin" {
            sampled.warning(
                "a form of our own site came without its origin: a Referrer-Policy of no-referrer makes browsers say null; use same-origin or strict-origin-when-cross-origin",
                metadata: metadata(of: request))
        } else if request.headers[.origin] != nil {
            sampled.warning(
                "a request of another origin was refused; where that origin is a front end of yours, or a proxy rewrites Host, see the setting trustedOrigins",
                metadata: metadata(of: request))
        }
    }

    /// Counts a refusal by its code.
    package static func count(_ denial: Denial) {
        Counter(label: "cloakroom_denials_total", dimensions: [("code", denial.code)]).increment()
    }

    private func metadata(of request: Request) -> Logger.Metadata {
        let own: Logger.Metadata = [
            "method": "\(request.method)", "path": "\(request.uri.path)", "host": "\(request.head.authority ?? "")",
            "origin": "\(request.headers[.origin] ?? "")", "sec_fetch_site": "\(request.headers[.secFetchSite] ?? "")",
        ]
        return own.merging(describe(request)) { $1 }
    }
}

/// Limits log lines that a client can cause at will to ten a second for each message, so that a flood of requests does
/// not fill the disk. The next line has the number of omitted lines.
package final class SampledLog: Sendable {
    private struct Second {
        var beganAt: ContinuousClock.Instant
        var written = 0
        var omitted = 0
    }

    private let logger: Logger
    private let seconds = Mutex<[String: Second]>([:])
    private static let perSecond = 10

    package init(logger: Logger) {
        self.logger = logger
    }

    /// - Parameter message: one of a fixed set; put values from the client into the metadata.
    package func warning(_ message: String, metadata: Logger.Metadata) {
        log(.warning, message, metadata)
    }

    /// As `warning`, at level error.
    package func error(_ message: String, metadata: Logger.Metadata) {
        log(.error, message, metadata)
    }

    private func log(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) {
        guard let omitted = admit(message) else { return }
        let count: Logger.Metadata = omitted > 0 ? ["omitted": "\(omitted)"] : [:]
        logger.log(level: level, "\(message)", metadata: metadata.merging(count) { $1 })
    }

    /// - Returns: the number of lines omitted before this one; nil if this one must be omitted, too.
    private func admit(_ message: String) -> Int? {
        seconds.withLock { seconds in
            let now = ContinuousClock.now
            var second = seconds[message] ?? Second(beganAt: now)
            defer { seconds[message] = second }
            guard now - second.beganAt < .seconds(1) else {
                let omitted = second.omitted
                second = Second(beganAt: now, written: 1)
                return omitted
            }
            guard second.written < Self.perSecond else {
                second.omitted += 1
                return nil
            }
            second.written += 1
            return 0
        }
    }
}
