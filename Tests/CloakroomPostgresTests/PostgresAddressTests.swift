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
        #expect(address.pooler == .transaction && address.connections == 6 && address.largestGroup == 256)
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

    private func message(_ text: String) -> String? {
        do throws(PostgresAddress.Invalid) { _ = try PostgresAddress(parsing: text) } catch { return error.description }
        return nil
    }

    @Test("the message about a wrong value names the parameter and what it expects", arguments: PostgresParameter.names)
    func wrongValue(_ name: String) throws {
        let parameter = try #require(PostgresParameter.named(name))
        for value in ["", "s3cret%ff", parameter.accepts("s3cret") ? "s3=cret" : "s3cret"] {
            let text = "postgres://app:s3cret@h/d?\(name)=\(value)&sslmode=require"
            #expect(message(text) == "\(name): expected \(parameter.expected)", "\(value)")
        }
        let twice = "postgres://h/d?\(name)=1&\(name)=1"
        let problem = parameter.accepts("1") ? "stands twice" : "expected \(parameter.expected)"
        #expect(message(twice) == "\(name): \(problem)")
    }

    @Test(
        "the values of libpq are taken",
        arguments: [
            "sslmode=disable", "sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem", "ssl=true",
            "target_session_attrs=primary", "target_session_attrs=any", "connect_timeout=0", "gssencmode=disable",
            "keepalives=0&tcp_user_timeout=5000", "options=-c%20statement_timeout%3D5s", "application_name=a",
            "channel_binding=require", "client_encoding=UTF8",
            "ssl_min_protocol_version=TLSv1.3", "user=a%40b&password=%3D&passfile=/etc/pgpass",
        ])
    func rightValue(_ parameters: String) {
        #expect(message("postgres://h/d?\(parameters)") == nil)
    }

    @Test(
        "the message about an unknown parameter names it, unless it may be a piece of a password",
        arguments: [
            ("h/d?ssl_mode=require", "ssl_mode"), ("h/d?sslmode=require&Pooler=none", "Pooler"), ("h/d?x", "x"),
            ("h/d?replication=database", "replication"), ("app:s3?cret=1@h/d", "parameter 1"),
            ("app:1?pooler=none&cret=1@h/d", "parameter 2"), ("h/d?password=s3&cret=1", "parameter 2"),
            ("h/d?%70assword=s3cret", "parameter 1"), ("h/d?s3/cret=1", "parameter 1"), ("h/d?=", "parameter 1"),
            ("app:s3?cret%40h/d=1", "parameter 1"),
        ])
    func unknown(_ rest: String, _ named: String) throws {
        let sentence = try #require(message("postgres://\(rest)"))
        #expect(sentence.hasPrefix("\(named): is not a parameter of an address; there are application_name, channel_"))
        #expect(sentence.hasSuffix(". Special characters of a password are written as %XX"))
    }

    @Test(
        "the message about a wrong part names it",
        arguments: [
            ("app:s3/cret@h/d", "port: expected a number from 1 to 65535"),
            ("h:0/d", "port: expected a number from 1 to 65535"),
            ("h:65536/d", "port: expected a number from 1 to 65535"),
            ("h/d?port=s3", "port: expected a number from 1 to 65535"),
            ("h1,h2,h3/d?port=1,2", "port: expected one, or one for each host"),
            ("h1,h2,h3/d?hostaddr=1.2.3.4,1.2.3.5", "hostaddr: expected 3, one for each host"),
            ("app:s3@cret@h/d", "host: expected a name, an address or a directory"),
            ("app:12/s3cret@h/d", "database: expected letters, digits and -._/:%"),
            ("h", "database: expected its name, as in postgres://HOST/DATABASE"),
            ("h/", "database: expected its name, as in postgres://HOST/DATABASE"),
            ("h?sslmode=require", "database: expected its name, as in postgres://HOST/DATABASE"),
            ("app:s3cret%@h/d", "libpq cannot read it"),
        ])
    func wrongPart(_ rest: String, _ beginning: String) throws {
        #expect(try #require(message("postgres://\(rest)")).hasPrefix(beginning))
    }

    @Test("a service of libpq may name the database")
    func service() {
        #expect(message("postgres://?service=cloakroom") == nil)
    }

    @Test(
        "an invalid address is refused, and the message has no piece of it",
        arguments: [
            "mysql://app:s3cret@h/d", "postgres://app:s3/cret@h/d", "postgres://app:s3@cret@h/d",
            "postgres://app:12/s3cret@h/d",
            "postgres://app:s3?cret@h/d", "postgres://app:s3?cret=1@h/d", "postgres://app:s3cret%@h/d",
            "postgres://app:s3cret@h/d?pooler=session", "postgres://app:s3cret@h/d?connections=5",
            "postgres://app:s3cret@h/d?group=0", "postgres://app:s3cret@h1,h2,h3:1,:2/d?port=1,2",
            "postgres://app:s3cret@h/d?target_session_attrs=read-only", "postgres://app@h/d?password=s3&cret=1",
        ])
    func invalid(_ text: String) throws {
        let error = #expect(throws: UnusableData.self) { try PostgresStore(url: text) }
        let sentence = try #require(error).description.replacing("application_name", with: "")
        for piece in ["s3", "cret", "app", "12/"] { #expect(!sentence.contains(piece), "\(sentence)") }
    }
}
