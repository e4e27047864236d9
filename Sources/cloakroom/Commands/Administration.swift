import ArgumentParser
import CloakroomCore
import CloakroomSQLite
import CloakroomService
import CloakroomTokens
import Logging

/// What the commands that look after the data share.
struct Administration: ParsableArguments {
    @OptionGroup(title: "Data") var storeOptions: StoreOptions
    @Flag(help: "Print JSON.") var json = false

    /// A reason to stop, for the person who typed the command.
    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    /// Opens the data, does the work, and shows what it came to.
    /// - Throws: `ExitCode` 1 after saying on standard error what went wrong.
    func perform(empty: String = "", _ work: (Instance) async throws -> Table) async throws {
        let settings = try storeOptions.settings()
        LineLogHandler.bootstrap(.warning)
        do {
            try await work(try .administering(settings)).show(asJSON: json, emptyMessage: empty)
        } catch let denial as Denial {
            Terminal.complain(Self.sentence(denial))
            throw ExitCode.failure
        } catch {
            Terminal.complain("\(error)")
            throw ExitCode.failure
        }
    }

    func email(_ text: String) throws -> EmailAddress {
        guard let email = EmailAddress(parsing: text) else { throw Failure("\(text) is not an e-mail address") }
        return email
    }

    func user(_ text: String, in instance: Instance) async throws -> User {
        guard let user = try await instance.store.user(try email(text)) else {
            throw Failure("there is no account \(text)")
        }
        return user
    }

    private static func sentence(_ denial: Denial) -> String {
        guard case .invalidRequest(let fields) = denial else { return denial.code }
        return fields.sorted { $0.key < $1.key }.map { "the \($0.key) \($0.value)" }.joined(separator: "; ")
    }
}
