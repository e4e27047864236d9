import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import Foundation
import Logging

/// Log lines on standard error: text at a terminal, one JSON object per line otherwise.
struct LineLogHandler: LogHandler {
    let label: String
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level
    private let isForPeople = isatty(STDERR_FILENO) == 1
    /// The longest value that is printed, in characters: clients choose some values.
    private static let longestValue = 1024

    init(label: String, level: Logger.Level, _ provider: Logger.MetadataProvider?) {
        self.label = label
        logLevel = level
        metadataProvider = provider
    }

    /// Lines of a request with a trace have its id.
    static func bootstrap(_ level: Logger.Level) {
        LoggingSystem.bootstrap({ LineLogHandler(label: $0, level: level, $1) }, metadataProvider: .trace)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let inherited = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }
        let values = inherited.merging(event.metadata ?? [:]) { $1 }.mapValues {
            String("\($0)".prefix(Self.longestValue))
        }
        let now = Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        let message = String("\(event.message)".prefix(Self.longestValue))
        let line = isForPeople ? text(now, event.level, message, values) : json(now, event.level, message, values)
        Terminal.write(line + "\n", to: STDERR_FILENO)
    }

    private func json(_ now: Instant, _ level: Logger.Level, _ message: String, _ values: [String: String]) -> String {
        var object: JSONObject = [
            "time": .string(now.iso8601), "level": .string(level.rawValue), "logger": .string(label),
            "message": .string(message),
        ]
        for (key, value) in values.sorted(by: { $0.key < $1.key }) where object[key] == nil {
            object[key] = .string(value)
        }
        return String(decoding: JSONValue.object(object).serialized, as: UTF8.self)
    }

    private func text(_ now: Instant, _ level: Logger.Level, _ message: String, _ values: [String: String]) -> String {
        let style: Terminal.Style? =
            switch level {
            case .trace, .debug: .faint
            case .info, .notice: .cyan
            case .warning: .yellow
            case .error, .critical: .red
            }
        let pairs = values.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.printable($0.value))" }.joined()
        let name = Terminal.styled(level.rawValue, style, on: STDERR_FILENO)
        return "\(now.iso8601) \(name) \(Self.printable(message))" + Terminal.styled(pairs, .faint, on: STDERR_FILENO)
    }

    /// Replaces control characters, with which a client could control the terminal that shows the log.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    $0.properties.generalCategory == .control || $0.value == 0x2028 || $0.value == 0x2029 ? "?" : $0
                }))
    }
}
