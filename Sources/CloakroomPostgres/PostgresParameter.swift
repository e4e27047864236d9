import CPQ

/// A parameter of an address, and the values that it takes.
///
/// libpq would report a wrong value when it connects, and again with each attempt. Here it stops the start.
struct PostgresParameter: Sendable {
    let name: String
    /// The accepted values, as the end of the message "expected ...".
    let expected: String
    let accepts: @Sendable (String) -> Bool
    /// Whether it is Cloakroom's and not libpq's.
    var isOwn: Bool { Self.own.contains { $0.name == name } }

    /// Those of libpq that take any text are in `names` only.
    static let all = own + ofConnections + ofTLS

    /// The names of all parameters, those of this libpq included.
    static let names = Set(all.map(\.name)).union(ofLibpq.subtracting(refused)).sorted()

    /// - Returns: nil for an unknown name.
    static func named(_ name: String) -> PostgresParameter? {
        if let known = all.first(where: { $0.name == name }) { return known }
        return names.contains(name) ? PostgresParameter(name, "a text") { !$0.isEmpty } : nil
    }

    private static let own: [PostgresParameter] = [
        .number("connections", PostgresAddress.fewestConnections...100),
        .number("group", 1...1024),
        .words("pooler", PostgresAddress.Pooler.allCases.map(\.rawValue)),
    ]

    private static let ofConnections: [PostgresParameter] = [
        .words("target_session_attrs", ["read-write", "primary", "any"], "a store writes"),
        .words("client_encoding", ["UTF8"]),
        .number("connect_timeout", 0...86_400),
        .words("keepalives", ["0", "1"]),
        .number("keepalives_idle", 0...86_400),
        .number("keepalives_interval", 0...86_400),
        .number("keepalives_count", 0...1000),
        .number("tcp_user_timeout", 0...86_400_000),
    ]

    private static let ofTLS: [PostgresParameter] = [
        .words("sslmode", ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]),
        // As JDBC has it; libpq reads it as sslmode=require.
        .words("ssl", ["true"]),
        .words("sslcompression", ["0", "1"]),
        .words("sslsni", ["0", "1"]),
        .words("ssl_min_protocol_version", protocols),
        .words("ssl_max_protocol_version", protocols),
        .words("channel_binding", ["disable", "prefer", "require"]),
        .words("gssencmode", ["disable", "prefer", "require"]),
    ]

    private static let protocols = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]

    /// A connection for replication takes no queries.
    private static let refused: Set = ["replication"]

    private static let ofLibpq: Set<String> = {
        guard let options = PQconndefaults() else { return [] }
        defer { PQconninfoFree(options) }
        var names: Set<String> = []
        var option = options
        while let keyword = option.pointee.keyword {
            names.insert(String(cString: keyword))
            option += 1
        }
        return names
    }()

    private init(_ name: String, _ expected: String, accepts: @escaping @Sendable (String) -> Bool) {
        self.name = name
        self.expected = expected
        self.accepts = accepts
    }

    private static func number(_ name: String, _ range: ClosedRange<Int>) -> Self {
        Self(name, "a number from \(range.lowerBound) to \(range.upperBound)") { text in
            Int(text).map { range.contains($0) } ?? false
        }
    }

    private static func words(_ name: String, _ words: [String], _ reason: String? = nil) -> Self {
        let most = words.dropLast().joined(separator: ", ")
        let all = (most.isEmpty ? "" : "\(most) or ") + words[words.count - 1]
        return Self(name, reason.map { "\(all): \($0)" } ?? all) { words.contains($0) }
    }
}
