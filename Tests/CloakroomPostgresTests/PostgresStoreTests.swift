import CloakroomCore
import CloakroomFiles
import CloakroomStores
import CloakroomTesting
import Testing

@testable import CloakroomPostgres

@Suite struct PostgresStoreTests {
    @Test(
        "the PostgreSQL store passes the contract, also behind pgbouncer in transaction mode",
        arguments: StoreContract.checks, PostgresCluster.Path.allCases)
    func contract(_ check: StoreContract.Check, _ path: PostgresCluster.Path) async throws {
        let database = try PostgresCluster.shared.get().database()
        try await check.run(PostgresStore(url: database.url(path)))
    }

    @Test(
        "the PostgreSQL store passes the contract of key stores, also behind pgbouncer in transaction mode",
        arguments: KeyStoreContract.checks, PostgresCluster.Path.allCases)
    func keys(_ check: KeyStoreContract.Check, _ path: PostgresCluster.Path) async throws {
        let database = try PostgresCluster.shared.get().database()
        try await check.run(PostgresStore(url: database.url(path)))
    }
}
