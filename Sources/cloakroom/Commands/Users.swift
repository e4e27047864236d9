import ArgumentParser
import CloakroomAccounts
import CloakroomCore
import CloakroomStores
import CloakroomTokens

/// `cloakroom users`
struct Users: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add, list and disable accounts.",
        subcommands: [Add.self, List.self, Disable.self, Enable.self, SetPassword.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an account. The command asks for the password, or reads it from standard input.")
        @Argument(help: "The e-mail address.") var email: String
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.perform(making: true) { instance in
                let email = try administration.email(email)
                let password = try administration.password(for: email)
                let account = try await instance.accounts.add(email, password: password)
                return Table(account)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the accounts.")
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.perform(empty: "There are no accounts.") { instance in
                Table(try await instance.store.accounts())
            }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Disable an account and end its sessions.",
            discussion: "A running server refuses its access tokens within a second.")
        @Argument(help: "The e-mail address.") var email: String
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.setDisabled(true, email)
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Enable a disabled account again.")
        @Argument(help: "The e-mail address.") var email: String
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.setDisabled(false, email)
        }
    }

    struct SetPassword: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set an account's password and end its sessions.",
            discussion: "The command asks for the password, or reads it from standard input.")
        @Argument(help: "The e-mail address.") var email: String
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.perform { instance in
                let account = try await administration.account(email, in: instance)
                try await instance.accounts.setPassword(try administration.password(for: account.email), for: account)
                return Table(account)
            }
        }
    }
}

extension Administration {
    fileprivate func setDisabled(_ isDisabled: Bool, _ email: String) async throws {
        try await perform { instance in
            let account = try await account(email, in: instance)
            try await instance.accounts.setDisabled(isDisabled, account.subject)
            return Table(try await self.account(email, in: instance))
        }
    }

    fileprivate func password(for email: EmailAddress) throws -> Password {
        guard let text = Terminal.readPassword(prompt: "Password for \(email): "), let password = Password(text) else {
            throw Failure("a password of at most \(Password.maximumLength) characters is expected on standard input")
        }
        return password
    }
}

extension Table {
    fileprivate init(_ account: Account) {
        self.init([account])
    }

    fileprivate init(_ accounts: [Account]) {
        self.init(columns: ["email", "id", "status", "created_at"])
        rows = accounts.map { account in
            [
                Cell(account.email.rawValue), Cell(account.subject.rawValue, style: .faint),
                account.isDisabled ? Cell("disabled", style: .red) : Cell("enabled", style: .green),
                Cell(account.createdAt.iso8601),
            ]
        }
    }
}
