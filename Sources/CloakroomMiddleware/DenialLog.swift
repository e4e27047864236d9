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
        write(denial, of: LoggedRequest(request), describe(request))
    }

    /// - Parameter more: metadata besides those of the request.
    package func write(_ denial: Denial, of request: LoggedRequest, _ more: @autoclosure () -> Logger.Metadata = [:]) {
        Self.count(denial)
        func metadata() -> Logger.Metadata { request.metadata.merging(more()) { $1 } }
        if logger.logLevel <= .debug {
            logger.debug(
                "a request was refused",
                metadata: metadata().merging(["code": "\(denial.code)", "denial": "\(denial)"]) { $1 })
        }
        guard let hint = request.hint(about: denial) else { return }
        sampled.warning(hint, metadata: metadata())
    }

    /// Logs a preflight that gets no CORS headers. The server refuses nothing: the browser does not send the request,
    /// and without this line no log would say why.
    package func writePreflight(_ request: Request) {
        let request = LoggedRequest(request)
        sampled.warning(LoggedRequest.refusedPreflight, metadata: request.metadata)
    }

    /// Counts a refusal by its code.
    package static func count(_ denial: Denial) {
        Counter(label: "cloakroom_denials_total", dimensions: [("code", denial.code)]).increment()
    }
}

/// What the log says about a refused request.
package struct LoggedRequest: Sendable {
    package var method: String
    package var path: String
    package var host: String
    package var origin: String?
    package var secFetchSite: String?
    /// Whether the request is a CORS preflight. No script can set the header by which it is known.
    package var isPreflight: Bool
    /// nil without a trace.
    package var trace: TraceID?

    package init(
        method: String, path: String, host: String, origin: String?, secFetchSite: String?, isPreflight: Bool,
        trace: TraceID? = TraceID.current
    ) {
        self.method = method
        self.path = path
        self.host = host
        self.origin = origin
        self.secFetchSite = secFetchSite
        self.isPreflight = isPreflight
        self.trace = trace
    }

    init(_ request: Request) {
        self.init(
            method: request.method.rawValue, path: request.uri.path, host: request.head.authority ?? "",
            origin: request.headers[.origin], secFetchSite: request.headers[.secFetchSite],
            isPreflight: request.headers[.accessControlRequestMethod] != nil, trace: TraceID(request.headers))
    }

    fileprivate static let refusedPreflight =
        "a preflight of another origin was not allowed; where that origin is a front end of yours, see the setting trustedOrigins"

    fileprivate var metadata: Logger.Metadata {
        [
            "method": "\(method)", "path": "\(path)", "host": "\(host)", "origin": "\(origin ?? "")",
            "sec_fetch_site": "\(secFetchSite ?? "")",
        ].merging(Logger.Metadata(trace)) { $1 }
    }

    /// The setting that would allow the request, for denials that a wrong configuration causes; nil for the others.
    fileprivate func hint(about denial: Denial) -> String? {
        if denial.kind == .misdirectedRequest {
            return
                "a request for another host was refused; where that host is yours, see the settings publicURL and hosts"
        }
        // A preflight of a trusted origin is allowed before the session is looked for.
        if denial.kind == .sessionMissing, isPreflight, origin != nil { return Self.refusedPreflight }
        guard denial.kind == .crossSiteRequest, let origin else { return nil }
        guard origin == "null", secFetchSite == "same-origin" else {
            return
                "a request of another origin was refused; where that origin is a front end of yours, or a proxy rewrites Host, see the setting trustedOrigins; where it is the address of this server, see publicURL"
        }
        return
            "a form of our own site came without its origin: a Referrer-Policy of no-referrer makes browsers say null; use same-origin or strict-origin-when-cross-origin"
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
