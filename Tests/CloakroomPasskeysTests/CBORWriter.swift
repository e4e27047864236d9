@testable import CloakroomPasskeys

extension CBORValue {
    /// The shortest encoding, with the keys of maps in the order that they have.
    var encoded: [UInt8] {
        switch self {
        case .integer(let value): value < 0 ? Self.head(1, UInt64(-1 - value)) : Self.head(0, UInt64(value))
        case .bytes(let bytes): Self.head(2, UInt64(bytes.count)) + bytes
        case .text(let text): Self.head(3, UInt64(text.utf8.count)) + Array(text.utf8)
        case .array(let items): Self.head(4, UInt64(items.count)) + items.flatMap(\.encoded)
        case .map(let map):
            Self.head(5, UInt64(map.entries.count)) + map.entries.flatMap { $0.key.encoded + $0.value.encoded }
        case .bool(let value): [value ? 0xF5 : 0xF4]
        case .null: [0xF6]
        }
    }

    static func head(_ major: UInt8, _ argument: UInt64) -> [UInt8] {
        let widths: [(UInt64, UInt8, Int)] = [(0xFF, 24, 1), (0xFFFF, 25, 2), (0xFFFF_FFFF, 26, 4), (.max, 27, 8)]
        guard argument >= 24 else { return [major << 5 | UInt8(argument)] }
        let (_, information, width) = widths.first { argument <= $0.0 } ?? (0, 27, 8)
        return [major << 5 | information]
            + (0..<width).reversed().map { UInt8(truncatingIfNeeded: argument >> UInt64($0 * 8)) }
    }
}

extension CBORMap.Key {
    var encoded: [UInt8] {
        switch self {
        case .integer(let value): CBORValue.integer(value).encoded
        case .text(let text): CBORValue.text(text).encoded
        }
    }
}

extension CBORMap: ExpressibleByDictionaryLiteral {
    init(dictionaryLiteral entries: (CBORMap.Key, CBORValue)...) {
        self.init(entries: entries.map { Entry(key: $0.0, value: $0.1) })
    }
}

extension CBORMap.Key: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int64) { self = .integer(value) }
}

extension CBORValue: ExpressibleByStringLiteral {
    init(stringLiteral value: String) { self = .text(value) }
}
