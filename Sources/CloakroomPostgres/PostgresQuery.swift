import Foundation

/// The parameters behind the `?` of an address, each checked.
struct PostgresQuery {
    /// The values of Cloakroom's own parameters.
    private(set) var own: [String: String] = [:]
    /// The address with the other parameters, for libpq: it refuses those that it does not know.
    private(set) var rest: String

    /// - Throws: `PostgresAddress.Invalid`, which names the parameter.
    init(of address: String) throws(PostgresAddress.Invalid) {
        guard let mark = address.firstIndex(of: "?") else {
            rest = address
            return
        }
        let query = address[address.index(after: mark)...]
        // A password with a `?` that is not escaped reaches up to the `@`. So no name of a query with one is printed.
        var mayHoldPassword = query.contains("@") || query.contains("%40")
        var (names, kept): (Set<String>, [Substring]) = ([], [])
        for (index, pair) in query.split(separator: "&").enumerated() {
            let (name, value) = try Self.read(pair, at: index, mayHoldPassword)
            guard names.insert(name).inserted else { throw .init("\(name): stands twice") }
            // What follows it may belong to a password with an `&`.
            mayHoldPassword = mayHoldPassword || name.hasSuffix("password")
            if let value { own[name] = value } else { kept.append(pair) }
        }
        rest = address[..<mark] + (kept.isEmpty ? "" : "?" + kept.joined(separator: "&"))
    }

    /// - Returns: the name, and the value if the parameter is our own.
    private static func read(
        _ pair: Substring, at index: Int, _ mayHoldPassword: Bool
    ) throws(PostgresAddress.Invalid) -> (name: String, own: String?) {
        let parts = pair.split(separator: "=", omittingEmptySubsequences: false)
        // Not decoded: libpq would read `%70assword` as well, but then no password would be found to be left out.
        let name = String(parts[0])
        guard let parameter = PostgresParameter.named(name) else { throw unknown(name, at: index, mayHoldPassword) }
        guard parts.count == 2, let value = parts[1].removingPercentEncoding, parameter.accepts(value) else {
            throw .init("\(name): expected \(parameter.expected)")
        }
        return (name, parameter.isOwn ? value : nil)
    }

    private static func unknown(_ name: String, at index: Int, _ mayHoldPassword: Bool) -> PostgresAddress.Invalid {
        let isName = 1...64 ~= name.utf8.count && name.utf8.allSatisfy(isOfName)
        let shown = isName && !mayHoldPassword ? name : "parameter \(index + 1)"
        return .init(
            """
            \(shown): is not a parameter of an address; there are \
            \(PostgresParameter.names.joined(separator: ", ")). \(PostgresAddress.Invalid.aboutPasswords)
            """)
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
            || "-_".utf8.contains(byte)
    }
}
