import ArgumentParser
import Foundation

/// The command line. Each subcommand has a file of its own.
@main
struct Cloakroom: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cloakroom",
        abstract: "The session layer for browser apps.",
        discussion: """
            It issues JWT access and refresh tokens, keeps them where script cannot steal them, renews them without \
            logging anybody out, and ends them when they must end.

            Try it:  cloakroom serve --demo
            Every setting is a flag, an environment variable (CLOAKROOM_PUBLIC_URL) and a key of the YAML file \
            (publicURL); a flag beats the environment, the environment beats the file.
            """,
        version: "0.1.0",
        subcommands: [
            Serve.self, Keys.self, Users.self, Sessions.self, Credentials.self, Events.self, Routes.self, Migrate.self,
            MigrateStore.self, Restore.self, Verify.self,
        ])

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let complaint = unknownSubcommand(in: arguments) {
            Terminal.complain(complaint)
            end(CommandExit.usage.code)
        }
        do {
            var command = try parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            end(.success)
        } catch {
            end(error)
        }
    }

    /// Prints what the error has to say, help included, and ends the process.
    private static func end(_ error: any Error) -> Never {
        let (code, message) = (exitCode(for: error), fullMessage(for: error))
        if !message.isEmpty {
            Terminal.write(message + "\n", to: code.isSuccess ? STDOUT_FILENO : STDERR_FILENO)
        }
        end(code)
    }

    /// Ends the process without the exit handlers of C libraries. Threads still run: OpenSSL would free what the threads
    /// that close connections to PostgreSQL free as well, and the process would die of "double free".
    private static func end(_ code: ExitCode) -> Never {
        fflush(nil)
        _exit(code.rawValue)
    }

    /// Returns the unknown word where a subcommand is expected. Without this check, the parser would take it for an
    /// argument of the parent command, and report the first option after it.
    static func unknownSubcommand(in arguments: [String]) -> String? {
        var command: any ParsableCommand.Type = Self.self
        var path = "cloakroom"
        for argument in arguments {
            let subcommands = command.configuration.subcommands
            guard !subcommands.isEmpty, !argument.hasPrefix("-"), argument != "help" else { return nil }
            let names = subcommands.map { $0._commandName }
            guard let index = names.firstIndex(of: argument) else {
                return "\(path) has no subcommand \(argument); there are: \(names.joined(separator: ", "))"
            }
            command = subcommands[index]
            path += " \(argument)"
        }
        return nil
    }
}
