/// A table in the form that both databases have in common, for a move from one store to another.
package enum CopiedTable: String, CaseIterable, Sendable {
    case accounts
    case subjects
    case credentials
    case knownNetworks = "known_networks"
    case oneTime = "one_time"
    case sessions
    case revocations
    case staleMarks = "stale_marks"
    case events
    case unannounced

    /// A column, and the type of its values.
    package struct Column: Sendable {
        package enum Kind: Sendable {
            case int, bool, text, bytes
            /// A text in lower case.
            case uuid
        }

        package let name: String
        package let kind: Kind
    }

    /// The columns without those that have a meaning in one of the databases only. The key comes first.
    package var columns: [Column] {
        switch self {
        case .accounts:
            Self.texts("subject email password_hash") + Self.ints("credential_version") + Self.flags("disabled")
                + Self.ints("created_at")
        case .subjects: Self.texts("subject") + Self.bytes("claims") + Self.flags("blocked")
        case .credentials: Self.texts("id") + Self.bytes("digest rights") + Self.ints("created_at expires_at")
        case .knownNetworks: Self.texts("subject network") + Self.ints("seen_at")
        case .oneTime: Self.texts("purpose") + Self.bytes("digest value") + Self.ints("expires_at")
        case .sessions:
            Self.texts("id subject") + Self.bytes("secret") + Self.ints("created_at expires_at generation")
                + Self.flags("pending") + Self.ints("window_opened_at rotated_at") + Self.texts("refresh_key")
                + Self.ints("stragglers_from handed_out_at") + Self.flags("reissued")
                + Self.ints("last_seen_at revoked_at") + Self.texts("revocation_reason") + Self.bytes("details")
                + Self.texts("parent")
        case .revocations: Self.texts("session") + Self.ints("time")
        case .staleMarks: Self.texts("subject") + Self.ints("time")
        case .events, .unannounced:
            [Column(name: "id", kind: .uuid)] + Self.ints("time") + Self.texts("kind subject session address")
                + Self.bytes("details") + Self.ints("ordinal")
        }
    }

    /// How many of the columns are the key.
    package var keyLength: Int {
        switch self {
        case .accounts, .subjects, .credentials, .sessions, .revocations, .events, .unannounced: 1
        case .knownNetworks, .oneTime, .staleMarks: 2
        }
    }

    /// Whether rows are only ever added. Both stores delete the oldest by themselves.
    package var isAppendOnly: Bool { self == .events }

    private static func texts(_ names: String) -> [Column] { columns(names, .text) }
    private static func ints(_ names: String) -> [Column] { columns(names, .int) }
    private static func flags(_ names: String) -> [Column] { columns(names, .bool) }
    private static func bytes(_ names: String) -> [Column] { columns(names, .bytes) }

    private static func columns(_ names: String, _ kind: Column.Kind) -> [Column] {
        names.split(separator: " ").map { Column(name: String($0), kind: kind) }
    }
}

/// A row of a `CopiedTable`, in the order of its columns.
package struct CopiedRow: Sendable {
    package enum Value: Sendable {
        case null
        case int(Int64)
        case bool(Bool)
        case text(String)
        case bytes([UInt8])
    }

    package let values: [Value]

    package init(_ values: [Value]) {
        self.values = values
    }

    /// The values of the key columns. Equal if all bytes are: both databases compare a text so, and `String` does not,
    /// to which the two spellings of an accented letter are one.
    package struct Key: Hashable, Sendable {
        package let values: [Value]
        private let encoded: [UInt8]

        package init(_ values: [Value]) {
            self.values = values
            encoded = CopiedRow.encode(values)
        }

        package static func == (one: Key, other: Key) -> Bool { one.encoded == other.encoded }
        package func hash(into hasher: inout Hasher) { hasher.combine(encoded) }
    }

    package func key(in table: CopiedTable) -> Key { Key(Array(values.prefix(table.keyLength))) }

    /// Each value with its length in four bytes before it, all ones for NULL. PostgreSQL writes the same bytes.
    package var encoded: [UInt8] { Self.encode(values) }

    private static func encode(_ values: [Value]) -> [UInt8] {
        var bytes: [UInt8] = []
        for value in values {
            switch value {
            case .null: bytes += [255, 255, 255, 255]
            case .int(let number): append(withUnsafeBytes(of: number.bigEndian, Array.init), to: &bytes)
            case .bool(let flag): append([flag ? 1 : 0], to: &bytes)
            case .text(let text): append(text.utf8, to: &bytes)
            case .bytes(let data): append(data, to: &bytes)
            }
        }
        return bytes
    }

    private static func append(_ value: some Collection<UInt8>, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: Int32(value.count).bigEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: value)
    }
}
