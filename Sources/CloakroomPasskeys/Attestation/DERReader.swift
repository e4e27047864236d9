/// A reader of DER (X.690) for the fields of an attestation certificate: tags of one byte, and lengths that are definite
/// and in the shortest form.
struct DERReader {
    /// The input is not DER, or not of the expected form.
    struct Failure: Error {}

    /// The tags that certificates have (RFC 5280 section 4.1).
    enum Tag {
        static let boolean: UInt8 = 0x01
        static let integer: UInt8 = 0x02
        static let bitString: UInt8 = 0x03
        static let octetString: UInt8 = 0x04
        static let objectIdentifier: UInt8 = 0x06
        static let sequence: UInt8 = 0x30
        static let set: UInt8 = 0x31
        static let version: UInt8 = 0xA0
        static let extensions: UInt8 = 0xA3
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    /// The tag of the next element; nil at the end.
    var nextTag: UInt8? { rest.first }

    func checkEnd() throws(Failure) {
        guard rest.isEmpty else { throw Failure() }
    }

    /// Reads an element with the tag.
    mutating func read(_ tag: UInt8) throws(Failure) -> ArraySlice<UInt8> {
        guard nextTag == tag else { throw Failure() }
        return try next().content
    }

    /// Reads an element whose content has elements itself.
    mutating func enter(_ tag: UInt8) throws(Failure) -> DERReader {
        DERReader(try read(tag))
    }

    /// Reads any element.
    /// - Returns: its content, and the whole of it.
    mutating func next() throws(Failure) -> (content: ArraySlice<UInt8>, encoded: ArraySlice<UInt8>) {
        // Tags of more than one byte have all five low bits set.
        guard rest.count >= 2, rest[rest.startIndex] & 0x1F != 0x1F else { throw Failure() }
        let whole = rest
        let first = rest[rest.startIndex + 1]
        rest = rest.dropFirst(2)
        let count = first < 0x80 ? Int(first) : try longLength(of: Int(first & 0x7F))
        guard count <= rest.count else { throw Failure() }
        let content = rest.prefix(count)
        rest = rest.dropFirst(count)
        return (content, whole[..<content.endIndex])
    }

    /// Reads a length of one or two bytes. Longer ones exceed the size of an attestation object.
    private mutating func longLength(of width: Int) throws(Failure) -> Int {
        guard 1...2 ~= width, rest.count >= width else { throw Failure() }
        let length = rest.prefix(width).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(width)
        guard length >= (width == 1 ? 0x80 : 0x100) else { throw Failure() }
        return length
    }
}
