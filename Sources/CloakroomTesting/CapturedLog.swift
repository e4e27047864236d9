package import Logging
import Synchronization

/// Keeps every log line as text: level, message and metadata.
package final class CapturedLog: LogHandler, Sendable {
    private let captured = Mutex<[String]>([])

    package init() {}

    package var lines: [String] { captured.withLock { $0 } }
    package var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    package var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    package func log(event: LogEvent) {
        let metadata = event.metadata.map { $0.isEmpty ? "" : " \($0)" } ?? ""
        captured.withLock { $0.append("\(event.level) \(event.message)\(metadata)") }
    }
}
