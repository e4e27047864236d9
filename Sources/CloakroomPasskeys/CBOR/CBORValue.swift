/// A CBOR data item (RFC 8949) of the kinds that WebAuthn needs. Tags, floats and `undefined` do not exist here at all.
enum CBORValue: Hashable, Sendable {
    /// Major types 0 and 1, as far as 64 bits hold them.
    case integer(Int64)
    case bytes([UInt8])
    case text(String)
    case array([CBORValue])
    case map(CBORMap)
    case bool(Bool)
    case null

    var integerValue: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    var bytesValue: [UInt8]? {
        if case .bytes(let value) = self { value } else { nil }
    }

    var textValue: String? {
        if case .text(let value) = self { value } else { nil }
    }

    var arrayValue: [CBORValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    var mapValue: CBORMap? {
        if case .map(let value) = self { value } else { nil }
    }
}

/// The entries of a CBOR map in canonical order, each key once.
struct CBORMap: Hashable, Sendable {
    enum Key: Hashable, Sendable {
        case integer(Int64)
        case text(String)
    }

    struct Entry: Hashable, Sendable {
        let key: Key
        let value: CBORValue
    }

    let entries: [Entry]

    var keys: [Key] { entries.map(\.key) }

    subscript(label: Int64) -> CBORValue? {
        entries.first { $0.key == .integer(label) }?.value
    }

    subscript(name: String) -> CBORValue? {
        entries.first { $0.key == .text(name) }?.value
    }
}
