import Foundation

/// Standard output and standard error, for people and for scripts.
enum Terminal {
    static func print(_ text: String) {
        write(text + "\n", to: STDOUT_FILENO)
    }

    static func complain(_ text: String) {
        write("cloakroom: \(text)\n", to: STDERR_FILENO)
    }

    /// Writes the text, and drops the rest if a write fails, for example because the reader of a log has gone.
    /// `FileHandle` would end the process in that case.
    static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || count < 0 && errno == EINTR else { return }
            bytes = bytes.dropFirst(max(0, count))
        }
    }

    /// Whether the descriptor is a terminal, and the user has not asked for plain text (no-color.org).
    static func isColourful(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1 && ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty
            && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    enum Style: String {
        case bold = "1"
        case faint = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
    }

    static func styled(_ text: String, _ style: Style?, on descriptor: Int32 = STDOUT_FILENO) -> String {
        guard let style, isColourful(descriptor) else { return text }
        return "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
    }

    /// Reads a password: with a prompt and without echo at a terminal, otherwise the first line of standard input. A
    /// password is never an argument, which every user of the machine could read in the process list.
    static func readPassword(prompt: String) -> String? {
        guard isatty(STDIN_FILENO) == 1 else { return readLine(strippingNewline: true) }
        write(prompt, to: STDERR_FILENO)
        var attributes = termios()
        tcgetattr(STDIN_FILENO, &attributes)
        var silent = attributes
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &attributes)
            write("\n", to: STDERR_FILENO)
        }
        return readLine(strippingNewline: true)
    }
}
