import Testing

@testable import CloakroomPasskeys

@Suite struct CBORReaderTests {
    private static func fault(_ bytes: [UInt8]) -> CBORFault? {
        do {
            _ = try CBORReader.read(bytes)
            return nil
        } catch {
            return error
        }
    }

    static let values: [([UInt8], CBORValue)] = [
        // RFC 8949 appendix A, as far as WebAuthn uses it.
        ([0x00], 0), ([0x17], 23), ([0x18, 0x18], 24), ([0x18, 0xFF], 255), ([0x19, 0x01, 0x00], 256),
        ([0x1A, 0x00, 0x01, 0x00, 0x00], 65536), ([0x1B, 0, 0, 0, 1, 0, 0, 0, 0], 0x1_0000_0000),
        ([0x1B, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .integer(.max)), ([0x20], -1), ([0x26], -7),
        ([0x39, 0x01, 0x00], -257), ([0x3B, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .integer(.min)),
        ([0x40], .bytes([])), ([0x43, 1, 2, 3], .bytes([1, 2, 3])), ([0x60], ""), ([0x62, 0xC3, 0xBC], "ü"),
        ([0x80], .array([])), ([0x82, 0x01, 0x20], .array([1, -1])), ([0xA0], .map([:])),
        ([0xA2, 0x01, 0x02, 0x20, 0xF5], .map([1: 2, -1: .bool(true)])), ([0xF4], .bool(false)), ([0xF6], .null),
        ([0xA2, 0x61, 0x62, 0x01, 0x62, 0x61, 0x61, 0x02], .map(["b": 1, "aa": 2])),
    ]

    @Test("what is canonical is read, and written it gives the same bytes", arguments: values)
    func accepted(_ bytes: [UInt8], _ value: CBORValue) throws {
        #expect(try CBORReader.read(bytes) == value)
        #expect(value.encoded == bytes)
    }

    static let faults: [([UInt8], CBORFault)] = [
        ([], .truncated), ([0x18], .truncated), ([0x19, 0x01], .truncated), ([0x42, 0x01], .truncated),
        ([0x61], .truncated), ([0x81], .truncated), ([0xA1], .truncated), ([0xA1, 0x01], .truncated),
        ([0x00, 0x00], .trailingBytes), ([0xA0, 0xA0], .trailingBytes),
        // The shortest form, of numbers and of lengths.
        ([0x18, 0x17], .notShortest), ([0x19, 0x00, 0xFF], .notShortest), ([0x1A, 0, 0, 0xFF, 0xFF], .notShortest),
        ([0x1B, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF], .notShortest), ([0x38, 0x00], .notShortest),
        ([0x58, 0x00], .notShortest), ([0x78, 0x01, 0x61], .notShortest), ([0x98, 0x00], .notShortest),
        ([0xB8, 0x00], .notShortest), ([0xA1, 0x18, 0x01, 0x00], .notShortest),
        // Lengths that only an end tells.
        ([0x5F, 0xFF], .indefiniteLength), ([0x7F, 0xFF], .indefiniteLength), ([0x9F, 0xFF], .indefiniteLength),
        ([0xBF, 0xFF], .indefiniteLength), ([0xFF], .unsupportedType),
        // Tags, floats, simple values, reserved encodings.
        ([0xC0, 0x00], .unsupportedType), ([0xD8, 0x20, 0x00], .unsupportedType), ([0xF7], .unsupportedType),
        ([0xF8, 0xFF], .unsupportedType), ([0xF9, 0x00, 0x00], .unsupportedType),
        ([0xFA, 0, 0, 0, 0], .unsupportedType), ([0xFB, 0, 0, 0, 0, 0, 0, 0, 0], .unsupportedType),
        ([0xE0], .unsupportedType), ([0xF3], .unsupportedType), ([0x1C], .unsupportedType), ([0x5D], .unsupportedType),
        ([0x1F], .indefiniteLength),
        // Numbers beyond 64 bits with a sign.
        ([0x1B, 0x80, 0, 0, 0, 0, 0, 0, 0], .integerOutOfRange),
        ([0x3B] + [UInt8](repeating: 0xFF, count: 8), .integerOutOfRange),
        // UTF-8: overlong, a surrogate, cut, Latin-1.
        ([0x62, 0xC0, 0xAF], .invalidUTF8), ([0x63, 0xED, 0xA0, 0x80], .invalidUTF8), ([0x61, 0xC3], .invalidUTF8),
        ([0x61, 0xE9], .invalidUTF8), ([0xA1, 0x61, 0xFF, 0x00], .invalidUTF8),
        // Keys: order by type, then by length, then by bytes; each once.
        ([0xA2, 0x01, 0x00, 0x01, 0x00], .duplicateKey), ([0xA2, 0x61, 0x61, 0x00, 0x61, 0x61, 0x00], .duplicateKey),
        ([0xA2, 0x02, 0x00, 0x01, 0x00], .unorderedKeys), ([0xA2, 0x20, 0x00, 0x01, 0x00], .unorderedKeys),
        ([0xA2, 0x21, 0x00, 0x20, 0x00], .unorderedKeys), ([0xA2, 0x61, 0x61, 0x00, 0x01, 0x00], .unorderedKeys),
        ([0xA2, 0x62, 0x61, 0x61, 0x00, 0x61, 0x62, 0x00], .unorderedKeys),
        ([0xA3, 0x01, 0x00, 0x02, 0x00, 0x01, 0x00], .unorderedKeys),
        ([0xA1, 0x40, 0x00], .unsupportedKey), ([0xA1, 0x80, 0x00], .unsupportedKey),
        ([0xA1, 0xF5, 0x00], .unsupportedKey),
        ([0x81, 0xA2, 0x01, 0x00, 0x01, 0x00], .duplicateKey),
    ]

    @Test("what is not canonical is refused", arguments: faults)
    func refused(_ bytes: [UInt8], _ fault: CBORFault) {
        #expect(Self.fault(bytes) == fault)
    }

    @Test("two spellings of one character are two keys")
    func canonicalEquivalence() throws {
        let bytes: [UInt8] = [0xA2, 0x62, 0xC3, 0xA9, 0x00, 0x63, 0x65, 0xCC, 0x81, 0x00]
        #expect(try CBORReader.read(bytes).mapValue?.entries.count == 2)
    }

    @Test("text keys of all lengths are ordered by length")
    func keyLengths() throws {
        let names = [1, 2, 23, 24, 25, 255, 256, 257].map {
            String(repeating: $0.isMultiple(of: 2) ? "a" : "z", count: $0)
        }
        for (shorter, longer) in zip(names, names.dropFirst()) {
            let ordered = CBORMap(entries: [shorter, longer].map { .init(key: .text($0), value: .null) })
            #expect(try CBORReader.read(CBORValue.map(ordered).encoded) == .map(ordered))
            let reversed = CBORMap(entries: ordered.entries.reversed())
            #expect(Self.fault(CBORValue.map(reversed).encoded) == .unorderedKeys)
        }
    }

    // An array of 2^64 items must not be allocated, and a byte string of 2^63 must not overflow an index.
    @Test("a length beyond the end is refused for what it claims", arguments: [UInt8(2), 3, 4, 5])
    func claimedLengths(_ major: UInt8) {
        for argument in [UInt64(16), 24, 255, 65535, 1 << 31, 1 << 32, 1 << 62, 1 << 63, .max] {
            let head = CBORValue.head(major, argument)
            #expect(Self.fault(head) == .truncated)
            #expect(Self.fault(head + [UInt8](repeating: 0, count: 8)) == .truncated)
            #expect(Self.fault([0x82] + head) == .truncated)
        }
    }

    @Test("four levels are accepted, five are not", arguments: [[UInt8(0x81)], [0xA1, 0x01]])
    func depth(_ open: [UInt8]) {
        for depth in 0...8 {
            let bytes = [[UInt8]](repeating: open, count: depth).joined() + [0x00]
            #expect(Self.fault(Array(bytes)) == (depth <= 4 ? nil : .tooDeep))
        }
        for count in [200, 8000] {
            #expect(Self.fault(Array([[UInt8]](repeating: open, count: count).joined())) == .tooDeep)
        }
    }

    @Test("16,384 bytes are accepted, one more is not")
    func size() throws {
        func item(_ count: Int) -> [UInt8] { CBORValue.bytes([UInt8](repeating: 0, count: count)).encoded }
        #expect(item(16381).count == CBORReader.maximumSize)
        #expect(Self.fault(item(16381)) == nil)
        #expect(Self.fault(item(16382)) == .tooLong)
        #expect(Self.fault([0x99, 0x3F, 0xFD] + [UInt8](repeating: 0x80, count: 16381)) == nil, "many items")
    }

    @Test("an item is read from the front of a slice, with the index of its end")
    func prefix() throws {
        let bytes: [UInt8] = [0xFF, 0xFF, 0x82, 0x01, 0x02, 0xA0, 0xFF]
        let (first, end) = try CBORReader.readFirst(bytes[2...])
        #expect(first == .array([1, 2]) && end == 5)
        let (second, secondEnd) = try CBORReader.readFirst(bytes[end...])
        #expect(second == .map([:]) && secondEnd == 6)
    }

    // If two inputs gave one value, two readers could disagree about what was signed.
    @Test("every mutant that is accepted is the only encoding of its value")
    func oneEncoding() throws {
        var random = SeededRandom(seed: 7)
        var accepted = 0
        for _ in 0..<20_000 {
            let value = RandomCBOR.value(&random, depth: 0)
            let bytes = value.encoded
            #expect(try CBORReader.read(bytes) == value)
            let mutant = RandomCBOR.mutant(of: bytes, &random)
            guard let read = try? CBORReader.read(mutant) else { continue }
            accepted += 1
            #expect(read.encoded == mutant)
        }
        #expect(accepted > 1000, "enough mutants must be accepted for a comparison")
    }
}

/// Random values of CBOR, and changed encodings of them.
enum RandomCBOR {
    static func value(_ random: inout SeededRandom, depth: Int) -> CBORValue {
        switch Int.random(in: 0..<(depth < 4 ? 8 : 6), using: &random) {
        case 0: return .integer(Int64.random(in: .min ... .max, using: &random))
        case 1: return .integer(Int64.random(in: -300...300, using: &random))
        case 2: return .bytes(bytes(&random))
        case 3: return .text(text(&random))
        case 4: return .bool(Bool.random(using: &random))
        case 5: return .null
        case 6: return .array((0..<Int.random(in: 0..<4, using: &random)).map { _ in value(&random, depth: depth + 1) })
        default: return .map(map(&random, depth: depth + 1))
        }
    }

    private static func map(_ random: inout SeededRandom, depth: Int) -> CBORMap {
        let labels = Set(
            (0..<Int.random(in: 0..<3, using: &random)).map { _ in Int64.random(in: 0...40, using: &random) })
        let names = Set((0..<Int.random(in: 0..<3, using: &random)).map { _ in String(text(&random).prefix(3)) })
        let keys =
            labels.sorted().map { CBORMap.Key.integer($0) }
            + names.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }.map { .text($0) }
        return CBORMap(entries: keys.map { .init(key: $0, value: value(&random, depth: depth)) })
    }

    private static func bytes(_ random: inout SeededRandom) -> [UInt8] {
        (0..<Int.random(in: 0..<30, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    private static func text(_ random: inout SeededRandom) -> String {
        String((0..<Int.random(in: 0..<30, using: &random)).map { _ in "abcxyz".randomElement(using: &random) ?? "a" })
    }

    static func mutant(of bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var mutant = bytes
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: mutant[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: mutant[place] = UInt8.random(in: 0...255, using: &random)
        case 2: mutant.remove(at: place)
        default: mutant.insert(UInt8.random(in: 0...255, using: &random), at: place)
        }
        return mutant
    }
}

/// The same numbers in every run.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
