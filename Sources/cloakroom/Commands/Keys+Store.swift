import ArgumentParser
import CloakroomCore
import CloakroomFiles
import CloakroomSessions
import CloakroomTokens

/// The commands for keys in PostgreSQL.
extension Keys {
    struct NewSecret: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "secret", abstract: "Print a new master secret, for masterSecretFile.",
            discussion: "The secret is random. It is printed and not saved.")

        func run() async throws {
            guard let secret = MasterSecret.generate(random: Environment.system.random) else { return }
            Terminal.print(secret.text)
        }
    }

    struct Reseal: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Seal the keys in PostgreSQL under the first of the master secrets.",
            discussion:
                "For a change of the master secret: see docs/postgresql.md. No key changes, and no session ends.")
        @OptionGroup var administration: Administration

        func run() async throws {
            try await administration.withKeyPlace { place, _, _ in
                guard case .store(let stored, _) = place else {
                    throw Administration.Failure("keys in files are not sealed; --store names no PostgreSQL")
                }
                _ = try await place.existing()
                let count = try await stored.reseal()
                return Table(
                    columns: ["resealed"], rows: [[Table.Cell("\(count)", json: .integer(Int64(count)))]])
            }
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add the keys of a data directory to those in PostgreSQL.",
            discussion: "For a server that had SQLite before: the tokens that it issued stay valid.")
        @Argument(help: "The data directory with the key files.") var directory: String
        @OptionGroup var administration: Administration

        func run() async throws {
            let files = directory
            try await administration.withKeys { place, _, _ in
                guard case .store = place else {
                    throw Administration.Failure("keys are imported into PostgreSQL; --store names another database")
                }
                guard let imported = try KeyFiles(directory: DataDirectory(existing: files)).read() else {
                    throw UnusableData(.missing, "there are no keys in \(files)")
                }
                return try await place.adding(imported)
            }
        }
    }
}

extension KeyPlace {
    /// Adds keys, also to a store without keys, but none that has ended there.
    func adding(_ imported: IssuerKeys) async throws -> IssuerKeys {
        var count = -1
        while true {
            let keys = try await explaining { try await source.update { try $0?.adding(imported) ?? imported } }
            // Another instance may have taken a period in between: then the key of that period was not added.
            let ids = Set(keys.signing.map(\.key.id) + keys.refresh.map(\.key.id))
            let found = ids.intersection(imported.signing.map(\.key.id) + imported.refresh.map(\.key.id)).count
            if found == count { return keys }
            count = found
        }
    }
}
