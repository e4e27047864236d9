import Foundation
import Testing

@testable import CloakroomTokens

/// Base64url has one canonical form. The tests try all short texts.
@Suite struct CanonicalBase64URLTests {
    private static let alphabet = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    @Test("of all texts of one and two bytes, only canonical ones decode, and each encodes to itself again")
    func twoBytes() {
        var accepted = 0
        for first in UInt8.min ... .max {
            #expect(Base64URL.decode([first]) == nil)
            for second in UInt8.min ... .max {
                guard let decoded = Base64URL.decode([first, second]) else { continue }
                accepted += 1
                if decoded.count != 1 || Base64URL.encodedBytes(decoded) != [first, second] {
                    Issue.record("\(first) \(second)")
                }
            }
        }
        #expect(accepted == 256)
    }

    @Test("of all texts of three letters, one in four is canonical")
    func threeLetters() {
        var accepted = 0
        for first in [UInt8(ascii: "A"), UInt8(ascii: "_"), UInt8(ascii: "m")] {
            for second in Self.alphabet {
                for third in Self.alphabet {
                    guard let decoded = Base64URL.decode([first, second, third]) else { continue }
                    accepted += 1
                    if Base64URL.encodedBytes(decoded) != [first, second, third] {
                        Issue.record("\(first) \(second) \(third)")
                    }
                }
            }
        }
        #expect(accepted == 3 * 64 * 16)
    }

    @Test("a byte outside of the alphabet at any place refuses the text")
    func foreign() {
        let text = Array("Zm9vYmFyYmF6".utf8)
        for byte in UInt8.min ... .max where !Self.alphabet.contains(byte) {
            for index in text.indices {
                var changed = text
                changed[index] = byte
                if Base64URL.decode(changed) != nil { Issue.record("\(byte) at \(index)") }
            }
        }
    }

    @Test("bytes of every length survive a round trip, and are encoded as Foundation encodes them")
    func lengths() throws {
        var random = SeededRandom(seed: 2)
        for count in 0..<300 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            let text = Base64URL.encode(bytes)
            let standard = Data(bytes).base64EncodedString()
            #expect(text == standard.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: ""))
            #expect(Base64URL.decode(text) == bytes)
            #expect(Base64URL.decode(text + "=") == nil && Base64URL.decode(text + "\n") == nil)
        }
    }

    @Test("the alphabet with + and / is refused")
    func standardAlphabet() {
        #expect(Base64URL.decode("-_-_") == [0xFB, 0xFF, 0xBF])
        #expect(Base64URL.decode("+/+/") == nil && Base64URL.decode("-/-_") == nil)
    }
}
