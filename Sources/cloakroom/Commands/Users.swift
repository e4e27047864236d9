import ArgumentParser
import CloakroomCore
import CloakroomSQLite
import CloakroomService
import CloakroomTokens

/// `cloakroom users`
struct Users: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add, list and disable accounts.",
        subcommands: [Add.self, List.self, Disable.self, Enable.self, SetPassword.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an account. The password is asked for, or read from standard input.")
        @Argument(help: "The e-mail address.") var email: String
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.perform(making: true) { instance in
                let email = try administration.email(email)
                let password = try administration.password(for: email)
                let user = try await instance.service.add(email, password: password)
                return Table(user)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the accounts.")
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.perform(empty: "There are no accounts.") { instance in
                Table(try await instance.store.users())
            }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Disable an account and end its sessions, everywhere within a second.")
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
            discussion: "The password is asked for, or read from standard input.")
        @Argument(help: "The e-mail address.") var email: String
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.perform { instance in
                let user = try await administration.user(email, in: instance)
                try await instance.service.setPassword(try administration.password(for: user.email), for: user)
                return Table(user)
            }
        }
    }
}

extension Administration {
    fileprivate func setDisabled(_ isDisabled: Bool, _ email: String) async throws {
        try await perform { instance in
            let user = try await user(email, in: instance)
            try await instance.service.setDisabled(isDisabled, user.subject)
            return Table(try await self.user(email, in: instance))
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
    fileprivate init(_ user: User) {
        self.init([user])
    }

    fileprivate init(_ users: [User]) {
        self.init(columns: ["email", "id", "status", "created_at"])
        rows = users.map { user in
            [
                Cell(user.email.rawValue), Cell(user.subject.rawValue, style: .faint),
                user.isDisabled ? Cell("disabled", style: .red) : Cell("enabled", style: .green),
                Cell(user.createdAt.iso8601),
            ]
        }
    }
}
