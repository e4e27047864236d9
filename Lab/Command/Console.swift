import Foundation

/// Standard output and standard error.
enum Console {
    enum Style: String {
        case faint = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    static func print(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    static func complain(_ text: String) { write("cloakroom-lab: \(text)\n", to: STDERR_FILENO) }

    /// With colour on a terminal, unless `NO_COLOR` (no-color.org) is set.
    static func styled(_ text: String, _ style: Style) -> String {
        let environment = ProcessInfo.processInfo.environment
        let isPlain = isatty(STDOUT_FILENO) == 0 || environment["NO_COLOR"]?.isEmpty == false
        return isPlain || environment["TERM"] == "dumb" ? text : "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
    }

    /// Unbuffered, and without an error when the reader has closed the pipe.
    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || count < 0 && errno == EINTR else { return }
            bytes = bytes.dropFirst(max(0, count))
        }
    }
}
