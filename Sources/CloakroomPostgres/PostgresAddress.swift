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

    /// Why a text is not an address.
    package struct Invalid: Error, Hashable, CustomStringConvertible {
        package let description: String

        init(_ description: String) {
            self.description = description
        }
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

    static let fewestConnections = 5

    /// Whether the text is meant as such an address.
    package static func hasScheme(_ text: String) -> Bool {
        text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
    }

    package init(parsing text: String) throws {
        guard Self.hasScheme(text) else { throw Invalid("it does not begin with postgres://") }
        var own: [String: String] = [:]
        let parameters = try Self.parse(Self.splitOff(&own, from: text))
        pooler =
            try own["pooler"].map { name in
                guard let pooler = Pooler(rawValue: name) else { throw Invalid("pooler is none or transaction") }
                return pooler
            } ?? .none
        connections =
            try Self.number(own["connections"], in: Self.fewestConnections...100, "connections")
            ?? Self.fewestConnections
        largestGroup = try Self.number(own["group"], in: 1...1024, "group") ?? GroupLimits().group
        hosts = try Self.split(parameters)
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

    private static func number(_ text: String?, in range: ClosedRange<Int>, _ name: String) throws -> Int? {
        guard let text else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Invalid("\(name) is a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// Takes our own parameters out of the query, because libpq refuses those that it does not know.
    private static func splitOff(_ own: inout [String: String], from text: String) -> String {
        guard let mark = text.firstIndex(of: "?") else { return text }
        var rest: [Substring] = []
        for pair in text[text.index(after: mark)...].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            if parts.count == 2, ["pooler", "connections", "group"].contains(parts[0]) {
                own[String(parts[0])] = String(parts[1])
            } else {
                rest.append(pair)
            }
        }
        return text[..<mark] + (rest.isEmpty ? "" : "?" + rest.joined(separator: "&"))
    }

    private static func parse(_ text: String) throws -> [String: String] {
        // libpq's own message quotes the text around the mistake, which may be a piece of the password.
        guard let options = PQconninfoParse(text, nil) else {
            throw Invalid("libpq cannot read it; special characters of a password are written as %XX")
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
    private static func split(_ parameters: [String: String]) throws -> [[String: String]] {
        var common = parameters
        guard ["read-write", "primary", "any"].contains(common.removeValue(forKey: "target_session_attrs") ?? "any")
        else {
            throw Invalid("target_session_attrs is read-write: a store writes")
        }
        func list(_ name: String) -> [String] {
            common.removeValue(forKey: name)?.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                ?? []
        }
        let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"))
        guard ports.allSatisfy({ $0.isEmpty || UInt16($0) != nil }), (names + addresses).allSatisfy(isPlain),
            isPlain(common["dbname"] ?? "")
        else {
            throw Invalid("host, port or database is malformed; special characters of a password are written as %XX")
        }
        let count = max(names.count, addresses.count, 1)
        guard [0, 1, count].contains(ports.count), [0, count].contains(names.count),
            [0, count].contains(addresses.count)
        else { throw Invalid("there are not as many ports as hosts") }
        return (0..<count).map { index in
            var host = common
            if !names.isEmpty { host["host"] = names[index] }
            if !addresses.isEmpty { host["hostaddr"] = addresses[index] }
            if let port = ports.count == 1 ? ports.first : ports.isEmpty ? nil : ports[index] { host["port"] = port }
            return host
        }
    }

    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                || "-._/:%".utf8.contains(byte)
        }
    }
}
