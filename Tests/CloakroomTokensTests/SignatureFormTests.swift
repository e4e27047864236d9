import CloakroomCore
import Crypto
import Foundation
import Testing

@testable import CloakroomTokens

/// Table J of the attack catalogue where the header is good: the three parts, their base64url, and the signature itself.
@Suite struct SignatureFormTests {
    static let partNames = ["header", "payload", "signature"]

    /// Signs the message again where `part` is signed, so that only the form is wrong.
    private func token(_ forge: Forge, _ part: String, _ change: (String) -> String) throws -> String {
        let genuine = try Parts(forge.token(header: forge.header(), payload: #"{"sub":"s"}"#))
        switch part {
        case "header": return try forge.sign(change(genuine.header) + "." + genuine.payload)
        case "payload": return try forge.sign(genuine.header + "." + change(genuine.payload))
        default: return genuine.header + "." + genuine.payload + "." + change(genuine.signature)
        }
    }

    /// Characters that other decoders skip, translate or take for the end.
    static let foreignCharacters = [
        "=", "==", "===", "+", "/", " ", "\t", "\n", "\r\n", "\u{0}", "%3D", "%2e", "\u{A0}", "\u{FF0E}", "\u{FF21}",
        "{",
        "\"", "~", ",", ":", "*", "\u{E9}",
    ]

    @Test(
        "a character outside of the alphabet is refused at every place of every part", arguments: Forge.algorithms,
        partNames)
    func alphabet(_ algorithm: SignatureAlgorithm, _ part: String) throws {
        let forge = try Forge(algorithm)
        for text in Self.foreignCharacters {
            for change in [{ text + $0 }, { $0 + text }, { String($0.prefix(4)) + text + $0.dropFirst(4) }]
                as [(String) -> String]
            {
                let verdict = forge.verdict(try token(forge, part, change))
                guard case .malformed = verdict else {
                    Issue.record("\(text.debugDescription) in the \(part) gave \(String(describing: verdict))")
                    continue
                }
            }
        }
    }

    @Test(
        "unused bits that are not zero at the end of a part are refused, although signed", arguments: Forge.algorithms,
        partNames)
    func looseBits(_ algorithm: SignatureAlgorithm, _ part: String) throws {
        let forge = try Forge(algorithm)
        // The header is padded to a length whose last character has unused bits; the other parts have them anyway.
        let header = forge.header().utf8.count % 3 == 0 ? forge.header(#","x":1"#) : forge.header()
        let genuine = try Parts(forge.token(header: header, payload: #"{"su":"s"}"#))
        #expect(forge.verdict([genuine.header, genuine.payload, genuine.signature].joined(separator: ".")) == nil)
        func loosened(_ text: String) -> String {
            let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
            let last = alphabet.firstIndex(of: text.last ?? "A") ?? 0
            return text.dropLast() + String(alphabet[last | 1])
        }
        let token: String
        switch part {
        case "header": token = try forge.sign(loosened(genuine.header) + "." + genuine.payload)
        case "payload": token = try forge.sign(genuine.header + "." + loosened(genuine.payload))
        default: token = genuine.header + "." + genuine.payload + "." + loosened(genuine.signature)
        }
        guard case .malformed = forge.verdict(token) else {
            Issue.record("\(part): \(String(describing: forge.verdict(token)))")
            return
        }
    }

    @Test("a token is three parts, with nothing before, between or after them", arguments: Forge.algorithms)
    func parts(_ algorithm: SignatureAlgorithm) throws {
        let forge = try Forge(algorithm)
        let token = try forge.token(header: forge.header(), payload: #"{"sub":"s"}"#)
        let (header, payload, signature) = (
            try Parts(token).header, try Parts(token).payload, try Parts(token).signature
        )
        for text in [
            "", ".", "..", "...", "....", header, "\(header).", "\(header).\(payload)", ".\(payload).\(signature)",
            "\(header)..\(signature)", "\(header).\(payload).", ".\(token)", "\(token).", "\(token).\(signature)",
            "\(header).\(payload).\(signature).\(payload).\(signature)", "\(header).\(payload)..\(signature)",
            "..\(token)",
            "\(token)\n", "\n\(token)", " \(token)", "\(token) ", "\u{FEFF}\(token)", "\"\(token)\"", "Bearer \(token)",
            token.replacing(".", with: "\u{FF0E}"), token.replacing(".", with: "%2e"), token.uppercased(),
        ] { #expect(forge.verdict(text) != nil, "\(text.prefix(60))") }
        #expect(
            forge.verdict(try forge.token(header: Array(forge.header().utf8), payload: [])) == nil,
            "but it has no claims")
    }

    @Test("the JSON serialisations of JWS are refused", arguments: Forge.algorithms)
    func serialisations(_ algorithm: SignatureAlgorithm) throws {
        let forge = try Forge(algorithm)
        let genuine = try Parts(forge.token(header: forge.header(), payload: #"{"sub":"s"}"#))
        let (header, payload, signature) = (genuine.header, genuine.payload, genuine.signature)
        for text in [
            #"{"payload":"\#(payload)","protected":"\#(header)","signature":"\#(signature)"}"#,
            #"{"payload":"\#(payload)","header":{"alg":"none"},"signature":""}"#,
            #"{"payload":"\#(payload)","signatures":[{"protected":"\#(header)","signature":"\#(signature)"}]}"#,
            #"{"payload":"\#(payload)","protected":"\#(header)","header":{"alg":"HS256"},"signature":"\#(signature)"}"#,
            // A polyglot: JSON with two dots.
            #"{"a":"\#(header).\#(payload).\#(signature)"}"#, #"["\#(header).\#(payload).\#(signature)"]"#,
        ] { #expect(forge.verdict(text) != nil) }
    }

    @Test("a signature of a wrong length is refused", arguments: Forge.algorithms)
    func lengths(_ algorithm: SignatureAlgorithm) throws {
        let forge = try Forge(algorithm)
        let genuine = try Parts(forge.token(header: forge.header()))
        let signature = try #require(Base64URL.decode(genuine.signature))
        for count in 0..<signature.count {
            let cut = "\(genuine.header).\(genuine.payload)."
            #expect(forge.verdict(cut + Base64URL.encode(signature.prefix(count))) == .badSignature)
            #expect(forge.verdict(cut + Base64URL.encode(signature.suffix(count))) == .badSignature)
        }
        for longer in [
            signature + [0], [0] + signature, signature + signature, signature + [UInt8](repeating: 0, count: 64),
        ] {
            #expect(forge.verdict("\(genuine.header).\(genuine.payload).\(Base64URL.encode(longer))") == .badSignature)
        }
    }

    private static let order: [UInt8] = [
        0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD,
        0xA7,
        0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
    ]

    @Test(
        "ECDSA: r and s of zero, of the order or above it are refused (CVE-2022-21449), as is DER"
    )
    func ecdsa() throws {
        let forge = try Forge(.es256)
        let genuine = try Parts(forge.token(header: forge.header()))
        let signature = try #require(Base64URL.decode(genuine.signature))
        let (r, s) = (Array(signature[..<32]), Array(signature[32...]))
        let zero = [UInt8](repeating: 0, count: 32)
        let one: [UInt8] = [UInt8](repeating: 0, count: 31) + [1]
        let full = [UInt8](repeating: 0xFF, count: 32)
        var forged: [[UInt8]] = [s + r]
        for number in [zero, one, Self.order, full] {
            for other in [zero, one, Self.order, full] { forged.append(number + other) }
            forged += [r + number, number + s]
        }
        forged.append(Array(try P256.Signing.ECDSASignature(rawRepresentation: signature).derRepresentation))
        for bytes in forged {
            #expect(forge.verdict("\(genuine.header).\(genuine.payload).\(Base64URL.encode(bytes))") == .badSignature)
        }
    }

    @Test("EdDSA: S + L and points of small order are refused")
    func edwards() throws {
        let forge = try Forge(.ed25519)
        let genuine = try Parts(forge.token(header: forge.header()))
        let signature = try #require(Base64URL.decode(genuine.signature))
        let order: [UInt8] =
            [0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14]
            + [UInt8](repeating: 0, count: 15) + [0x10]
        var carry = 0
        let sum = zip(signature[32...], order).map { one, other in
            carry += Int(one) + Int(other)
            defer { carry >>= 8 }
            return UInt8(carry & 0xFF)
        }
        let (point, scalar) = (Array(signature[..<32]), Array(signature[32...]))
        let zero = [UInt8](repeating: 0, count: 32)
        let identity: [UInt8] = [1] + [UInt8](repeating: 0, count: 31)
        let forged: [[UInt8]] = [
            point + sum, zero + zero, identity + zero, point + zero, identity + scalar, scalar + point,
        ]
        for bytes in forged {
            #expect(forge.verdict("\(genuine.header).\(genuine.payload).\(Base64URL.encode(bytes))") == .badSignature)
        }
    }

    @Test("RSA: the signature plus the modulus, with a zero in front, or of zeros and ones is refused")
    func rsa() throws {
        let key = try SigningKey.generate(.rs256)
        let jwk = try key.publicJWK()
        let modulus = try #require(Base64URL.decode(jwk["n"]?.stringValue ?? ""))
        let keys = try KeySet(parsing: JSONValue.object(jwk).serialized)
        let genuine = try Parts(String(decoding: try key.sign([:], type: "JWT"), as: UTF8.self))
        let signature = try #require(Base64URL.decode(genuine.signature))
        var carry = 0
        let sum = zip(signature, modulus).reversed().map { one, other in
            carry += Int(one) + Int(other)
            defer { carry >>= 8 }
            return UInt8(carry & 0xFF)
        }
        let shifted = (carry == 0 ? [] : [UInt8(carry)]) + sum.reversed()
        let zero = [UInt8](repeating: 0, count: modulus.count)
        let one = [UInt8](repeating: 0, count: modulus.count - 1) + [1]
        let forged: [[UInt8]] = [shifted, [0] + signature, zero, one, modulus, Array(signature.dropLast()), []]
        for bytes in forged {
            let token = Array("\(genuine.header).\(genuine.payload).\(Base64URL.encode(bytes))".utf8)
            #expect(fault { try VerifiedJWS.verify(token, with: keys) } == .badSignature)
        }
    }

    @Test(
        "the public key in any encoding is refused as an HMAC secret", arguments: [SignatureAlgorithm.es256, .ed25519])
    func confusion(_ algorithm: SignatureAlgorithm) throws {
        let forge = try Forge(algorithm)
        var secrets: [[UInt8]] = [[], Array("1".utf8), Array("2".utf8), JSONValue.object(forge.jwk).serialized]
        for coordinate in ["x", "y"].compactMap({ forge.jwk[$0]?.stringValue }) {
            secrets += [Array(coordinate.utf8), Base64URL.decode(coordinate) ?? []]
        }
        if case .es256(let key) = forge.key {
            let pem = key.publicKey.pemRepresentation
            let base64 = pem.split(separator: "\n").dropFirst().dropLast().joined()
            let spellings = [
                pem, pem + "\n", " " + pem, "\n\t" + pem, base64, pem.replacing("PUBLIC", with: "RSA PUBLIC"),
            ]
            secrets += spellings.map { Array($0.utf8) }
            secrets += [
                Array(key.publicKey.derRepresentation), Array(key.publicKey.rawRepresentation),
                Array(key.publicKey.x963Representation), Array(key.publicKey.compressedRepresentation),
            ]
        }
        for name in ["HS256", "HS384", "HS512", algorithm.headerName] {
            let header = Base64URL.encode(Array(#"{"alg":"\#(name)","kid":"k1","typ":"at+jwt"}"#.utf8))
            for secret in secrets {
                let mac = Forge.mac(Array("\(header).e30".utf8), secret: secret)
                let expected: TokenFault = name == algorithm.headerName ? .badSignature : .wrongAlgorithm
                #expect(forge.verdict("\(header).e30.\(Base64URL.encode(mac))") == expected)
            }
        }
    }

    @Test("the secret of HS256 is refused as a public key")
    func reverseConfusion() throws {
        let forge = try Forge(.hs256)
        let other = try Forge(.es256)
        #expect(forge.verdict(try other.token(header: other.header())) == .wrongAlgorithm)
        #expect(forge.verdict(try other.token(header: forge.header())) == .badSignature)
    }
}
