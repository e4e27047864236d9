import ArgumentParser
import CloakroomCore
import CloakroomSQLite
import CloakroomStores
import CloakroomTokens
import Logging

/// What the commands that look after the data share.
struct Administration: ParsableArguments {
    @OptionGroup(title: "Data") var storeOptions: StoreOptions
    @Flag(help: "Print JSON.") var json = false

    /// A reason to stop, as a sentence for the terminal.
    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    /// Opens the data, does the work, and prints the result; nil for work that prints by itself.
    /// - Parameter making: whether to make the data where there are none. A command that only reads must not: with a
    ///   mistyped path it would show a server without accounts.
    /// - Throws: `ExitCode` after saying on standard error what went wrong.
    func perform(making: Bool = false, empty: String = "", _ work: (Instance) async throws -> Table?) async throws {
        try await report(empty: empty) { settings in
            let instance = try Instance.administering(settings, making: making)
            defer { instance.store.close() }
            return try await work(instance)
        }
    }

    /// Reads the settings, does the work, and prints the result.
    /// - Throws: `ExitCode` after saying on standard error what went wrong.
    func report(empty: String = "", _ work: (Settings) async throws -> Table?) async throws {
        LineLogHandler.bootstrap(.warning)
        CoreDumps.forbid()
        do {
            try await work(storeOptions.settingsOfServer())?.show(asJSON: json, emptyMessage: empty)
        } catch {
            throw CommandExit.complain(error)
        }
    }

    func email(_ text: String) throws -> EmailAddress {
        guard let email = EmailAddress(parsing: text) else { throw Failure("\(text) is not an e-mail address") }
        return email
    }

    func account(_ text: String, in instance: Instance) async throws -> Account {
        guard let account = try await instance.store.account(try email(text)) else {
            throw Failure("there is no account \(text)")
        }
        return account
    }
}
