import ArgumentParser
import CloakroomAccounts
import CloakroomCore
import CloakroomStores
import CloakroomTokens
import Logging

/// The options and functions that the commands for administration share.
struct Administration: ParsableArguments {
    @OptionGroup(title: "Data") var storeOptions: StoreOptions
    @Flag(help: "Print JSON.") var json = false

    /// A failure, as a sentence for the terminal.
    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    /// Opens the data, runs `work`, and prints its result; nil if `work` prints by itself.
    /// - Parameter making: whether to create missing data. A command that only reads must not: with a mistyped path
    ///   it would show a server without accounts.
    /// - Throws: `ExitCode`, after printing the error to standard error.
    func perform(making: Bool = false, empty: String = "", _ work: (Instance) async throws -> Table?) async throws {
        try await report(empty: empty) { settings in
            let instance = try Instance.administering(settings, making: making)
            defer { instance.close() }
            return try await work(instance)
        }
    }

    /// Reads the settings, runs `work`, and prints its result.
    /// - Throws: `ExitCode`, after printing the error to standard error.
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

    /// - Parameter text: the e-mail address of an account, or the subject of any user.
    func subject(_ text: String, in instance: Instance) async throws -> Subject {
        guard text.contains("@") else {
            guard let subject = Subject(external: text) else {
                throw Failure("\(text) is neither an e-mail address nor a subject")
            }
            return subject
        }
        return try await account(text, in: instance).subject
    }

    func account(_ text: String, in instance: Instance) async throws -> Account {
        guard let account = try await instance.store.account(try email(text)) else {
            throw Failure("there is no account \(text)")
        }
        return account
    }
}
