import CloakroomFiles
import CloakroomStores
import CloakroomTesting
import Foundation
import Testing

@testable import CloakroomPostgres

@Suite struct ConnectionTests {
    private let database: PostgresCluster.Database

    init() throws {
        database = try PostgresCluster.shared.get().database()
    }

    @Test("a host that accepts connections and never answers does not keep a store from the other host")
    func silentHost() async throws {
        let directory = try TemporaryDirectory()
        let listener = try SilentListener(directory.file(".s.PGSQL.5432"))
        defer { withExtendedLifetime(listener) {} }
        let good = database.cluster.file("")
        let hosts = PostgresCluster.encoded("\(directory.path),\(good)")
        // An attempt that waits for the silent host never ends, and the store cannot be opened.
        let store = try PostgresStore(url: "postgres:///\(database.name)?host=\(hosts)&user=app")
        try await store.ping()
    }

    @Test("a server that takes no writes is refused, also after it took some")
    func readOnly() async throws {
        let store = try PostgresStore(url: database.url())
        try await store.ping()
        let cluster = database.cluster
        try cluster.administer("ALTER DATABASE \(database.name) SET default_transaction_read_only = on")
        try database.disconnectAll()
        await #expect(throws: Unreachable.self) { try await store.ping() }
        let error = #expect(throws: UnusableData.self) { try PostgresStore(url: database.url()) }
        #expect(error?.description.contains("it takes no writes") == true)
        try cluster.administer("ALTER DATABASE \(database.name) RESET default_transaction_read_only")
        try await waitUntil { (try? await store.ping()) != nil }
    }

    @Test("a primary with a lower timeline than one that was seen is refused")
    func oldPrimary() throws {
        let address = try database.address()
        let connection = try PostgresConnection.connect(to: address, notBefore: 0, within: .seconds(10))
        #expect(connection.timeline == 1 && !connection.system.isEmpty)
        let error = #expect(throws: Unreachable.self) {
            try PostgresConnection.connect(to: address, notBefore: 2, within: .seconds(10))
        }
        #expect(error?.description.contains("old primary") == true)
    }

    @Test("an answer that does not come in time ends the connection")
    func late() throws {
        let connection = try database.connect()
        #expect(throws: ConnectionLost.self) {
            try connection.exchange([[.single("SELECT pg_sleep(60)")]], within: .milliseconds(100))
        }
    }

    @Test("a store keeps to its number of connections")
    func budget() async throws {
        let store = try PostgresStore(url: database.url(.direct, "connections=6"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 { group.addTask { try await store.ping() } }
            for _ in 0..<50 { group.addTask { _ = try await store.accounts() } }
            for _ in 0..<50 { group.addTask { _ = try await store.charge([[AllowanceContract.charge("a", of: 9)]]) } }
            try await group.waitForAll()
        }
        let count = try database.run(
            """
            SELECT count(*)::text FROM pg_stat_activity
            WHERE datname = current_database() AND usename = 'app' AND pid <> pg_backend_pid()
            """)
        #expect((Int(count[0]) ?? 99) <= 6, "\(count)")
    }

    @Test("values of every type survive the way to the server and back")
    func values() throws {
        let numbers = [Int64.min, -1, 0, 1, 255, 256, .max]
        let statement = Statement(
            "SELECT $1, $2, $3, $4, $5, $6, $7::int8, $8::text, $9::bytea, $10::int4, array_to_string($11, ',', '-')",
            [
                .int(Int64.min), .int(-2), .text("\u{1F600} é"), .text(""), .bytes([0, 1, 255]), .bytes([]), .int(nil),
                .text(nil), .bytes(nil), .int(-3), .texts(["a", nil, ""]),
            ])
        let connection = try database.connect()
        let row = try #require(try connection.transaction([statement])[0].first)
        #expect(row.int(0) == .min && row.int(1) == -2 && row.text(2) == "\u{1F600} é")
        #expect(row.optionalText(3) == "" && row.bytes(4) == [0, 1, 255] && row.optionalBytes(5) == [])
        #expect(row.optionalInt(6) == nil && row.optionalText(7) == nil && row.optionalBytes(8) == nil)
        #expect(row.int(9) == -3 && row.text(10) == "a,-,")
        let rows = try connection.transaction([Statement("SELECT unnest($1)", [.ints(numbers)])])[0]
        #expect(rows.map { $0.int(0) } == numbers)
        #expect(try connection.transaction([Statement("SELECT unnest($1)", [.ints([])])])[0].count == 0)
    }

    /// A socket that connections reach, and that nothing reads.
    private final class SilentListener {
        private let descriptor: Int32

        init(_ path: String) throws {
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            #expect(result == 0 && listen(descriptor, 8) == 0)
        }

        deinit {
            close(descriptor)
        }
    }
}
