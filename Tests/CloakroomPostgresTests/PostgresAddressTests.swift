import CloakroomFiles
import Testing

@testable import CloakroomPostgres

@Suite struct PostgresAddressTests {
    @Test("each host has its own parameters, and shares the others")
    func hosts() throws {
        let address = try PostgresAddress(
            parsing:
                "postgres://app:secret@db1,db2:5433,db3/shop?target_session_attrs=read-write&sslmode=verify-full&pooler=transaction"
        )
        #expect(address.hosts.map { $0["host"] } == ["db1", "db2", "db3"])
        #expect(address.hosts.map { $0["port"] } == ["", "5433", ""])
        #expect(address.hosts.allSatisfy { $0["sslmode"] == "verify-full" && $0["password"] == "secret" })
        #expect(address.pooler == .transaction && address.connections == 5 && address.largestGroup == 256)
    }

    @Test("our own parameters are read, wherever they stand in the query")
    func parameters() throws {
        let address = try PostgresAddress(
            parsing: "postgresql://h/d?connections=9&connect_timeout=3&group=1&pooler=none")
        #expect(address.connections == 9 && address.largestGroup == 1 && address.pooler == .none)
        #expect(address.hosts == [["host": "h", "dbname": "d", "connect_timeout": "3"]])
    }

    @Test("a description has neither user nor password")
    func description() throws {
        let address = try PostgresAddress(parsing: "postgres://app:secret@h1,h2/shop?password=secret")
        #expect("\(address)" == "postgres://h1,h2/shop")
        #expect(address.withoutPassword == "postgres://app@h1,h2/shop")
        let parameters = "sslmode=require&pooler=transaction"
        let other = try PostgresAddress(parsing: "postgres://app@h1/shop?sslpassword=secret&\(parameters)&password=x")
        #expect(other.withoutPassword == "postgres://app@h1/shop?\(parameters)")
        #expect(try PostgresAddress(parsing: other.withoutPassword).hosts.count == 1)
    }

    @Test(
        "an invalid address is refused, and the message has no piece of it",
        arguments: [
            "mysql://app:s3cret@h/d", "postgres://app:s3/cret@h/d", "postgres://app:s3@cret@h/d",
            "postgres://app:12/s3cret@h/d",
            "postgres://app:s3?cret@h/d", "postgres://app:s3cret%@h/d", "postgres://app:s3cret@h/d?s3cret=1",
            "postgres://app:s3cret@h/d?pooler=session", "postgres://app:s3cret@h/d?connections=4",
            "postgres://app:s3cret@h/d?group=0", "postgres://app:s3cret@h1,h2,h3:1,:2/d?port=1,2",
            "postgres://app:s3cret@h/d?target_session_attrs=read-only",
        ])
    func invalid(_ text: String) throws {
        let error = #expect(throws: UnusableData.self) { try PostgresStore(url: text) }
        let sentence = try #require(error).description
        for piece in ["s3", "cret", "app", "12/"] { #expect(!sentence.contains(piece), "\(sentence)") }
    }
}
