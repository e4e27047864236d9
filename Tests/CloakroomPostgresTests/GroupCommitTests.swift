import CloakroomStores
import CloakroomTesting
import Logging
import Testing

@testable import CloakroomPostgres

@Suite struct GroupCommitTests {
    @Test("group commits of PostgreSQL pass the contract", arguments: GroupCommitContract.checks)
    func contract(_ check: GroupCommitContract.Check) async throws {
        try await check.run(on: Fixture.self)
    }

    /// A database with parents and children. PostgreSQL checks only at the commit that each child has a parent.
    private final class Fixture: GroupCommitFixture {
        private let database: PostgresCluster.Database
        private let group: GroupCommit<PostgresWork>

        init(limits: GroupLimits) throws {
            database = try PostgresCluster.shared.get().database()
            try database.run("CREATE TABLE parents (id int8 PRIMARY KEY)")
            try database.run(
                """
                CREATE TABLE rows (
                    id int8 PRIMARY KEY, parent int8 REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)
                """)
            let lane = Lane(PostgresServer(try database.address(), logger: Logger(label: "test")), limit: .seconds(10))
            group = GroupCommit("test", limits: limits, performers: [{ lane.perform($0) }])
        }

        var waiting: Int { group.waiting }

        func perform(_ write: GroupCommitContract.Write) async throws -> Int {
            try await group.perform("") { result in
                switch write {
                case .insert(let id): Self.insert(id, result)
                case .refused: .read([]) { _ in throw GroupCommitContract.Refused() }
                case .orphan(let id): Self.insert(id, parent: 999, result)
                case .fullDisk: .read([Self.fullDisk]) { _ in .done }
                case .occupy(let body):
                    .read([]) { _ in
                        body()
                        result.value = 0
                        return .done
                    }
                }
            }
        }

        /// Fails with the code of a full disk.
        private static let fullDisk = Statement.single("DO $$ BEGIN RAISE SQLSTATE '53100'; END $$")

        private static func insert(_ id: Int, parent: Int64? = nil, _ result: WorkResult<Int>) -> PostgresStep {
            let statement = Statement("INSERT INTO rows (id, parent) VALUES ($1, $2)", [.int(Int64(id)), .int(parent)])
            return .repeatable([statement], result) { _ in id }
        }

        func rows() throws -> [Int] {
            try database.run("SELECT id::text FROM rows ORDER BY rows.id").compactMap { Int($0) }
        }

        func commits() throws -> Int {
            Int(try database.run("SELECT count(DISTINCT xmin::text)::text FROM rows")[0]) ?? 0
        }
    }
}
