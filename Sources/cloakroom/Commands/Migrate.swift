import ArgumentParser
import CloakroomCore
import CloakroomPostgres
import CloakroomTokens

/// `cloakroom migrate`
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the tables in PostgreSQL to the version of this build.",
        discussion: """
            A server does the same when it starts. Run it before an upgrade where servers have a role that may not change \
            tables, or to see what an upgrade changes first. SQLite needs no such step.
            """)
    @OptionGroup var administration: Administration

    func run() async throws {
        try await administration.report(empty: "The tables have the version of this build.") { settings in
            guard case .postgres(let address) = settings.data.store else {
                throw Administration.Failure("migrate is for PostgreSQL; --store names another database")
            }
            let steps = try PostgresStore.migrate(address)
            return Table(columns: ["version"], rows: steps.map { [Table.Cell("\($0)", json: .integer($0))] })
        }
    }
}
