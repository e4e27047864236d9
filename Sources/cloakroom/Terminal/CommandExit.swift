import ArgumentParser
import CloakroomCore
import CloakroomFiles

/// The exit codes of the command, and the sentence for each failure. Codes above 1 are those of sysexits.h.
enum CommandExit: Int32, CaseIterable {
    /// A refusal or a failure: no such account, a token that does not verify, a disk or port that cannot be used.
    case refused = 1
    /// EX_USAGE: wrong arguments.
    case usage = 64
    /// EX_CONFIG: an invalid setting.
    case configuration = 78

    var code: ExitCode { ExitCode(rawValue) }

    /// Prints the error to standard error.
    /// - Returns: the exit code to throw.
    static func complain(_ error: any Error) -> ExitCode {
        if let code = error as? ExitCode { return code }
        let (status, sentence) = of(error)
        Terminal.complain(sentence)
        return status.code
    }

    static func of(_ error: any Error) -> (status: Self, sentence: String) {
        switch error {
        case let data as UnusableData: (data.reason == .cannotBeMade ? .configuration : .refused, data.description)
        case let settings as SettingsError: (.configuration, settings.description)
        case let denial as Denial: (.refused, sentence(denial))
        default: (.refused, "\(error)")
        }
    }

    private static func sentence(_ denial: Denial) -> String {
        switch denial {
        case .invalidRequest(let fields):
            fields.sorted { $0.key < $1.key }.map { "the \($0.key) \($0.value)" }.joined(separator: "; ")
        case .unavailable: "the database is busy; try again"
        case .accountExists: "there is an account with this address"
        default: denial.code
        }
    }
}
