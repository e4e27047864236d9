import CloakroomCore
import CloakroomFiles
import CloakroomStores
import CloakroomTesting
import Testing

@testable import CloakroomPostgres

@Suite struct MoveTargetTests {
    private let database: PostgresCluster.Database

    init() throws {
        database = try PostgresCluster.shared.get().database()
    }

    /// A value of each kind, other ones for other numbers.
    private func row(_ table: CopiedTable, _ number: Int) -> CopiedRow {
        CopiedRow(
            table.columns.map { column in
                switch column.kind {
                case .int: .int(Int64(number) << 33 | 5)
                case .bool: .bool(number.isMultiple(of: 2))
                case .text: .text("ä\(number)")
                case .bytes: .bytes([0, 255, UInt8(number)])
                case .uuid: .text("00000000-0000-8000-8000-00000000000\(number)")
                }
            })
    }

    @Test(
        "each table takes rows, changes and deletes them, and has a digest for each",
        arguments: CopiedTable.allCases, PostgresCluster.Path.allCases)
    func rows(_ table: CopiedTable, _ path: PostgresCluster.Path) throws {
        let target = try MoveTarget(PostgresAddress(parsing: database.url(path)))
        let rows = (1...4).map { row(table, $0) }
        let keys = rows.map { $0.key(in: table) }
        try target.save(rows, deleting: [], in: table)
        let digests = try target.digests(of: table, after: nil, through: nil)
        #expect(Set(digests.keys) == Set(keys) && Set(digests.values).count == 4)
        #expect(try Set(target.digests(of: table, after: keys[0], through: keys[2]).keys) == Set(keys[1...2]))
        try target.save(rows, deleting: [], in: table)
        #expect(try target.digests(of: table, after: nil, through: nil) == digests)
        guard !table.isAppendOnly else { return }
        try target.save([], deleting: [keys[1]], in: table)
        #expect(try target.digests(of: table, after: nil, through: nil).count == 3)
    }

    @Test("a database is filled by one migration, and no store opens it before the end")
    func claims() throws {
        let target = try MoveTarget(database.address())
        #expect(try target.claim(of: 1) == nil)
        let claim = try target.makeClaim(of: 1, source: "sqlite:/a")
        #expect(try !claim.isFinished && target.claim(of: 1) == claim && target.claim(of: 2) == nil)
        let open = #expect(throws: UnusableData.self) { try PostgresStore(url: database.url()) }
        #expect(open?.description.contains("sqlite:/a") == true)
        #expect(throws: UnusableData.self) {
            try MoveTarget(database.address()).makeClaim(of: 2, source: "sqlite:/b")
        }
        try target.finish(migration: 1)
        #expect(try target.claim(of: 1) == MoveTarget.Claim(number: claim.number, isFinished: true))
        try PostgresStore(url: database.url()).close()
    }

    @Test("an instance that has opened the database before the mark adds no keys to it")
    func keys() async throws {
        let store = try PostgresStore(url: database.url())
        let target = try MoveTarget(database.address())
        _ = try target.makeClaim(of: 1, source: "sqlite:/a")
        let identity = KeyIdentity(
            id: "k", kind: .refresh, algorithm: "HS256", period: 1, createdAt: TestEnvironment.start,
            signsFrom: TestEnvironment.start)
        var change = KeyTableChange()
        change.added = [KeyRow(identity, .live(sealed: [1]), longestSession: .zero)]
        try await store.change(change)
        #expect(try await store.keyRows().isEmpty)
        let filling = try PostgresStore(database.address(), isFilling: true, as: .command)
        try await filling.change(change)
        #expect(try await store.keyRows() == change.added)
        filling.close()
        store.close()
    }

    @Test("a database with data is refused")
    func occupied() throws {
        let target = try MoveTarget(database.address())
        try target.save([row(.subjects, 1)], deleting: [], in: .subjects)
        let error = #expect(throws: UnusableData.self) { try target.makeClaim(of: 1, source: "sqlite:/a") }
        #expect(error?.description.contains("empty") == true)
    }
}
