import CPQ
import CloakroomStores
import Foundation

/// The address of a PostgreSQL store, such as
/// `postgres://cloakroom@db1,db2,db3/cloakroom?target_session_attrs=read-write&sslmode=verify-full`.
///
/// libpq reads it, with all of its parameters; `pooler`, `connections` and `group` are our own. A password may stand in
/// it, and in `PGPASSWORD` or a password file. No error and no description has the password, or a piece of the text.
package struct PostgresAddress: Hashable, Sendable, CustomStringConvertible {
    /// What stands between us and the server.
    package enum Pooler: String, Hashable, Sendable, CaseIterable {
        /// A connection is a session of the server.
        case none
        /// Every transaction may run in another session (pgbouncer's `pool_mode = transaction`): there are no prepared
        /// statements and no settings of the session.
        case transaction
    }

    /// Why a text is not an address: the part or the parameter, and what it expects, without the text.
    package struct Invalid: Error, Hashable, CustomStringConvertible {
        package let description: String

        init(_ description: String) {
            self.description = description
        }

        /// Where a password with a `/`, `?` or `#` is the likely cause.
        static let aboutPasswords = "Special characters of a password are written as %XX"
    }

    /// What libpq connects to: one entry for each host, with the value of each parameter.
    let hosts: [[String: String]]
    let pooler: Pooler
    /// The number of connections of one process.
    let connections: Int
    /// Without user, password and parameters.
    package let description: String

    /// The largest group of writes in one transaction. 1 suits a database whose transactions stay on one shard.
    let largestGroup: Int

    /// The address as text that `init(parsing:)` reads, without the password.
    package let withoutPassword: String

    static let fewestConnections = 6
    /// The connections that do not take the reads and writes of single sessions.
    static let otherConnections = 4

    /// Whether the text is meant as such an address.
    package static func hasScheme(_ text: String) -> Bool {
        text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
    }

    package init(parsing text: String) throws(Invalid) {
        guard Self.hasScheme(text) else { throw Invalid("it does not begin with postgres://") }
        let query = try PostgresQuery(of: text)
        let parameters = try Self.parse(query.rest)
        pooler = query.own["pooler"].flatMap(Pooler.init(rawValue:)) ?? Pooler.none
        connections = query.own["connections"].flatMap { Int($0) } ?? Self.fewestConnections
        largestGroup = query.own["group"].flatMap { Int($0) } ?? GroupLimits().group
        hosts = try Self.split(parameters)
        guard parameters["service"] != nil || parameters["dbname"]?.isEmpty == false else {
            throw Invalid("database: expected its name, as in postgres://HOST/DATABASE")
        }
        let database = parameters["dbname"].map { "/\($0)" } ?? ""
        withoutPassword = Self.removingPassword(from: text)
        description = "postgres://\(parameters["host"] ?? "")\(database)"
    }

    private static func removingPassword(from text: String) -> String {
        var parts = text.split(separator: "?", maxSplits: 1).map(String.init)
        let start = parts[0].range(of: "://")?.upperBound ?? parts[0].startIndex
        if let at = parts[0][start...].firstIndex(of: "@"), let colon = parts[0][start..<at].firstIndex(of: ":") {
            parts[0].removeSubrange(colon..<at)
        }
        guard parts.count == 2 else { return parts[0] }
        let kept = parts[1].split(separator: "&").filter { !$0.hasPrefix("password=") && !$0.hasPrefix("sslpassword=") }
        return kept.isEmpty ? parts[0] : "\(parts[0])?\(kept.joined(separator: "&"))"
    }

    private static func parse(_ text: String) throws(Invalid) -> [String: String] {
        // libpq's own message quotes the text around the mistake, which may be a piece of the password.
        guard let options = PQconninfoParse(text, nil) else {
            throw Invalid("libpq cannot read it. \(Invalid.aboutPasswords)")
        }
        defer { PQconninfoFree(options) }
        var parameters: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { parameters[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return parameters
    }

    /// Checks the parts into which a wrongly written password would fall, then gives each host its own parameters.
    private static func split(_ parameters: [String: String]) throws(Invalid) -> [[String: String]] {
        var common = parameters
        // Each host is asked whether it takes writes.
        common["target_session_attrs"] = nil
        func list(_ name: String) -> [String] {
            common.removeValue(forKey: name)?.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                ?? []
        }
        let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"))
        try check(ports, "port", expected: "a number from 1 to 65535") { $0.isEmpty || UInt16($0) ?? 0 > 0 }
        try check(names, "host", expected: "a name, an address or a directory", isPlain)
        try check(addresses, "hostaddr", expected: "an address", isPlain)
        try check([common["dbname"] ?? ""], "database", expected: "letters, digits and -._/:%", isPlain)
        let count = max(names.count, addresses.count, 1)
        guard [0, count].contains(names.count) else { throw Invalid("host: expected \(count), one for each hostaddr") }
        guard [0, count].contains(addresses.count) else {
            throw Invalid("hostaddr: expected \(count), one for each host")
        }
        guard [0, 1, count].contains(ports.count) else { throw Invalid("port: expected one, or one for each host") }
        return (0..<count).map { index in
            var host = common
            if !names.isEmpty { host["host"] = names[index] }
            if !addresses.isEmpty { host["hostaddr"] = addresses[index] }
            if let port = ports.count == 1 ? ports.first : ports.isEmpty ? nil : ports[index] { host["port"] = port }
            return host
        }
    }

    private static func check(
        _ values: [String], _ name: String, expected: String, _ isValid: (String) -> Bool
    ) throws(Invalid) {
        guard !values.allSatisfy(isValid) else { return }
        throw Invalid("\(name): expected \(expected). \(Invalid.aboutPasswords)")
    }

    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                || "-._/:%".utf8.contains(byte)
        }
    }
}
