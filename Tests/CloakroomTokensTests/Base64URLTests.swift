import Testing

@testable import CloakroomTokens

@Suite struct Base64URLTests {
    @Test(
        "the RFC's test vectors, without padding",
        arguments: [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("foobar", "Zm9vYmFy")])
    func vectors(_ text: String, _ encoded: String) {
        #expect(Base64URL.encode(Array(text.utf8)) == encoded)
        #expect(Base64URL.decode(encoded) == Array(text.utf8))
    }

    @Test("every byte survives a round trip in the URL-safe alphabet")
    func allBytes() {
        let bytes = (0...255).map { UInt8($0) }
        #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        #expect(Base64URL.encode([0xFB, 0xFF]) == "-_8")
    }

    @Test(
        "a second encoding of the same bytes is refused",
        arguments: ["Zg==", "Zg=", "Zh", "Zm9", "Z", "Zm9vY", " Zg", "Zg\n", "-_9", "+/8", "Z.g", "Zg%3D", "\u{FF3A}g"])
    func refuses(_ text: String) {
        #expect(Base64URL.decode(text) == nil)
    }
}
