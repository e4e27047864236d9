import Testing

@testable import CloakroomPasskeys

@Suite struct DERReaderTests {
    private static func content(_ bytes: [UInt8]) -> [UInt8]? {
        // A slice of a longer array: no index may count from zero.
        var reader = DERReader(([0xFF] + bytes)[1...])
        return (try? reader.read(DERReader.Tag.octetString)).map { Array($0) }
    }

    static let refusedRows: [[UInt8]] = [
        [], [0x04], [0x04, 0x01], [0x04, 0x02, 0x00], [0x05, 0x00], [0x1F, 0x04, 0x00],
        // Lengths: indefinite, reserved, not the shortest, cut, beyond the end, of more than two bytes.
        [0x04, 0x80, 0x00, 0x00], [0x04, 0xFF], [0x04, 0x81, 0x01, 0x00], [0x04, 0x81, 0x7F] + zeros(0x7F),
        [0x04, 0x82, 0x00, 0x80] + zeros(0x80), [0x04, 0x81], [0x04, 0x82, 0x01], [0x04, 0x81, 0x80] + zeros(0x7F),
        [0x04, 0x83, 0x00, 0x01, 0x00] + zeros(0x100), [0x04, 0x84, 0xFF, 0xFF, 0xFF, 0xFF],
        [0x04, 0x88, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    ]

    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    @Test("a length that is not DER, or goes beyond the end, is refused", arguments: refusedRows)
    func refused(_ bytes: [UInt8]) {
        #expect(Self.content(bytes) == nil)
    }

    @Test("each length is read in its shortest form", arguments: [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x4000])
    func lengths(_ count: Int) {
        let element = TestCertificate.element(DERReader.Tag.octetString, Self.zeros(count))
        #expect(Self.content(element) == Self.zeros(count))
        #expect(Self.content(element + [0x30, 0x00]) == Self.zeros(count))
    }

    @Test("elements are read one after another, and the end is checked")
    func sequence() throws {
        var reader = DERReader([0x30, 0x03, 0x02, 0x01, 0x02, 0x04, 0x00])
        var inner = try reader.enter(DERReader.Tag.sequence)
        #expect(throws: DERReader.Failure.self) { try reader.checkEnd() }
        #expect(try Array(inner.next().encoded) == [0x02, 0x01, 0x02])
        try inner.checkEnd()
        #expect(try reader.read(DERReader.Tag.octetString).isEmpty)
        try reader.checkEnd()
        #expect(reader.nextTag == nil)
    }
}
