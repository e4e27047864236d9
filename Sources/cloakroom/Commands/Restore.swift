import ArgumentParser
import CloakroomCore
import CloakroomFiles
import CloakroomSQLite
import CloakroomSessions
import CloakroomTokens

/// `cloakroom restore`
struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Replace the database by a backup, while no server runs.",
        discussion: """
            The backup is checked and copied; the file itself is not touched. Sessions that were ended after the backup \
            are alive again: see cloakroom sessions revoke --created-before. Key files are restored by copying them.
            """)
    @Argument(help: ArgumentHelp("A copy of the database.", valueName: "file")) var file: String
    @OptionGroup var administration: Administration

    func run() async throws {
        try await administration.report { settings in
            guard case .sqlite(let path) = settings.data.store else {
                throw Administration.Failure("restore is for SQLite; restore PostgreSQL with its own tools")
            }
            _ = try DataDirectory(settings.data.directory)
            let restored = try SQLiteStore.restore(file, to: path, at: Environment.system.now())
            return Table(
                columns: ["accounts", "sessions", "epoch"],
                rows: [[Int64(restored.accounts), Int64(restored.sessions), restored.epoch].map(Table.Cell.init)])
        }
    }
}

extension Table.Cell {
    fileprivate init(_ number: Int64) {
        self.init("\(number)", json: .integer(number))
    }
}
