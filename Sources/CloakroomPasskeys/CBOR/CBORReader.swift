/// A strict reader of the CTAP2 canonical CBOR encoding form (CTAP 2.1 section 8), for input that an attacker wrote.
///
/// One value has one encoding: definite lengths, the shortest form of each number, keys in canonical order and without
/// duplicates. Two libraries that read accepted bytes therefore read the same. A claimed length is compared with the
/// remaining input before any memory is taken for it.
struct CBORReader {
    /// The maximum size of an item, in bytes.
    static let maximumSize = 16384
    /// How deeply arrays and maps may nest.
    static let maximumDepth = 4

    private let bytes: ArraySlice<UInt8>
    private var index: Int

    /// Reads one item, after which nothing may follow.
    static func read(_ bytes: [UInt8]) throws(CBORFault) -> CBORValue {
        let (value, end) = try readFirst(bytes[...])
        guard end == bytes.endIndex else { throw .trailingBytes }
        return value
    }

    /// Reads the first item.
    /// - Returns: the item, and the index in `bytes` at which it ends.
    static func readFirst(_ bytes: ArraySlice<UInt8>) throws(CBORFault) -> (value: CBORValue, end: Int) {
        guard bytes.count <= maximumSize else { throw .tooLong }
        var reader = CBORReader(bytes: bytes)
        let value = try reader.value(depth: 0)
        return (value, reader.index)
    }

    private init(bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    private var remaining: Int { bytes.endIndex - index }

    private mutating func value(depth: Int) throws(CBORFault) -> CBORValue {
        let head = try head()
        switch head.major {
        case .unsigned: return .integer(try integer(head.argument))
        case .negative: return .integer(-1 - (try integer(head.argument)))
        case .bytes: return .bytes(Array(try take(head.argument)))
        case .text: return .text(try text(head.argument))
        case .array: return .array(try array(head.argument, depth: depth + 1))
        case .map: return .map(try map(head.argument, depth: depth + 1))
        case .tag: throw .unsupportedType
        case .simple: return try simple(head.argument)
        }
    }

    /// The eight major types (RFC 8949 section 3.1).
    private enum Major: UInt8 {
        case unsigned, negative, bytes, text, array, map, tag, simple
    }

    private struct Head {
        let major: Major
        let argument: UInt64
    }

    private mutating func head() throws(CBORFault) -> Head {
        guard let first = try take(1).first, let major = Major(rawValue: first >> 5) else { throw .truncated }
        switch first & 0x1F {
        case let small where small < 24:
            return Head(major: major, argument: UInt64(small))
        case let information where information < 28:
            // Longer arguments of this major type are floats and unassigned simple values (section 3.3).
            guard major != .simple else { throw .unsupportedType }
            return Head(major: major, argument: try argument(width: 1 << (information - 24)))
        case 31 where major != .simple:
            throw .indefiniteLength
        default:
            throw .unsupportedType
        }
    }

    /// - Parameter width: 1, 2, 4 or 8 bytes.
    private mutating func argument(width: Int) throws(CBORFault) -> UInt64 {
        let argument = try take(UInt64(width)).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let isShortest = width == 1 ? argument >= 24 : argument >> UInt64(width * 4) != 0
        guard isShortest else { throw .notShortest }
        return argument
    }

    private mutating func take(_ count: UInt64) throws(CBORFault) -> ArraySlice<UInt8> {
        guard count <= UInt64(remaining) else { throw .truncated }
        defer { index += Int(count) }
        return bytes[index..<(index + Int(count))]
    }

    private func integer(_ argument: UInt64) throws(CBORFault) -> Int64 {
        guard let integer = Int64(exactly: argument) else { throw .integerOutOfRange }
        return integer
    }

    private mutating func text(_ count: UInt64) throws(CBORFault) -> String {
        guard let text = String(validating: try take(count), as: UTF8.self) else { throw .invalidUTF8 }
        return text
    }

    private mutating func array(_ count: UInt64, depth: Int) throws(CBORFault) -> [CBORValue] {
        guard depth <= Self.maximumDepth else { throw .tooDeep }
        // An item takes one byte at least.
        guard count <= UInt64(remaining) else { throw .truncated }
        var array: [CBORValue] = []
        for _ in 0..<count { array.append(try value(depth: depth)) }
        return array
    }

    private mutating func map(_ count: UInt64, depth: Int) throws(CBORFault) -> CBORMap {
        guard depth <= Self.maximumDepth else { throw .tooDeep }
        guard count <= UInt64(remaining / 2) else { throw .truncated }
        var entries: [CBORMap.Entry] = []
        var previous: ArraySlice<UInt8>?
        for _ in 0..<count {
            let start = index
            let key = try key()
            let encoded = bytes[start..<index]
            if let previous { try Self.checkOrder(previous, encoded) }
            previous = encoded
            entries.append(.init(key: key, value: try value(depth: depth)))
        }
        return CBORMap(entries: entries)
    }

    private mutating func key() throws(CBORFault) -> CBORMap.Key {
        let head = try head()
        switch head.major {
        case .unsigned: return .integer(try integer(head.argument))
        case .negative: return .integer(-1 - (try integer(head.argument)))
        case .text: return .text(try text(head.argument))
        case .bytes, .array, .map, .tag, .simple: throw .unsupportedKey
        }
    }

    /// Compares encoded keys as bytes. Since a key begins with its type and its length in the shortest form, that is the
    /// order of CTAP 2.1 section 8: by type, then by length, then by content. Equality is that of bytes too: String
    /// equality would treat two spellings of one character as the same.
    private static func checkOrder(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) throws(CBORFault) {
        guard !one.elementsEqual(other) else { throw .duplicateKey }
        guard one.lexicographicallyPrecedes(other) else { throw .unorderedKeys }
    }

    private func simple(_ argument: UInt64) throws(CBORFault) -> CBORValue {
        switch argument {
        case 20: return .bool(false)
        case 21: return .bool(true)
        case 22: return .null
        default: throw .unsupportedType
        }
    }
}
