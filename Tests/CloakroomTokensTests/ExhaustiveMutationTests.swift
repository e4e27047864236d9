import CloakroomCore
import Testing

@testable import CloakroomTokens

/// About ten thousand neighbours of a genuine token for each algorithm: every flipped bit, every cut, every character
/// replaced and added, and edits at random. None may be accepted, none may crash.
@Suite struct ExhaustiveMutationTests {
    static let tokens: [(SignatureAlgorithm, Int)] = [(.es256, 2500), (.ed25519, 2500), (.hs256, 2500), (.rs256, 500)]

    /// A genuine token of each algorithm, with the keys that verify it.
    private static func genuine(_ algorithm: SignatureAlgorithm) throws -> (token: [UInt8], keys: KeySet) {
        switch algorithm {
        case .hs256:
            let world = try TokenWorld()
            return (try world.issuer.refreshToken(for: .example()).bytes, world.keys.current.refreshKeys)
        default:
            let world = try TokenWorld(algorithm)
            return (try world.access().token.bytes, world.keySet)
        }
    }

    private static func accepted(_ mutants: some Sequence<[UInt8]>, _ token: [UInt8], _ keys: KeySet) throws -> (
        tried: Int, accepted: [String]
    ) {
        _ = try VerifiedJWS.verify(token, with: keys)
        var tried = 0
        var accepted: [String] = []
        for mutant in mutants where mutant != token {
            tried += 1
            if (try? VerifiedJWS.verify(mutant, with: keys)) != nil {
                accepted.append(String(decoding: mutant, as: UTF8.self))
            }
        }
        return (tried, accepted)
    }

    @Test("every flipped bit", arguments: tokens)
    func bits(_ algorithm: SignatureAlgorithm, _: Int) throws {
        let (token, keys) = try Self.genuine(algorithm)
        let step = algorithm == .rs256 ? 3 : 1
        let mutants = stride(from: 0, to: token.count * 8, by: step).lazy.map { bit in
            var mutant = token
            mutant[bit / 8] ^= 1 << UInt8(bit % 8)
            return mutant
        }
        let result = try Self.accepted(mutants, token, keys)
        #expect(result.accepted == [] && result.tried >= token.count * 8 / step)
    }

    @Test("every character replaced by others, in the alphabet and outside of it", arguments: tokens)
    func characters(_ algorithm: SignatureAlgorithm, _: Int) throws {
        let (token, keys) = try Self.genuine(algorithm)
        let others = Array(algorithm == .rs256 ? "A=".utf8 : "AQgw-_=+/. ".utf8) + [0, 0xFF]
        let mutants = token.indices.lazy.flatMap { index in
            others.lazy.map { other in
                var mutant = token
                mutant[index] = other
                return mutant
            }
        }
        let result = try Self.accepted(mutants, token, keys)
        #expect(result.accepted == [] && result.tried > token.count * (others.count - 1))
    }

    @Test("every truncation at either end, and every omitted character", arguments: tokens)
    func cuts(_ algorithm: SignatureAlgorithm, _: Int) throws {
        let (token, keys) = try Self.genuine(algorithm)
        let mutants = token.indices.lazy.flatMap { index in
            [Array(token[..<index]), Array(token[(index + 1)...]), Array(token[..<index] + token[(index + 1)...])]
        }
        let result = try Self.accepted(mutants, token, keys)
        #expect(result.accepted == [] && result.tried == token.count * 3)
    }

    @Test("a character added anywhere", arguments: tokens)
    func insertions(_ algorithm: SignatureAlgorithm, _: Int) throws {
        let (token, keys) = try Self.genuine(algorithm)
        let mutants = (0...token.count).lazy.flatMap { index in
            "A=.\n".utf8.lazy.map { character in token[..<index] + [character] + token[index...] }
        }.map { Array($0) }
        let result = try Self.accepted(mutants, token, keys)
        #expect(result.accepted == [] && result.tried == (token.count + 1) * 4)
    }

    @Test("random edits, up to four at a time", arguments: tokens)
    func random(_ algorithm: SignatureAlgorithm, _ count: Int) throws {
        let (token, keys) = try Self.genuine(algorithm)
        let result = try Self.accepted(Mutants(of: token, count: count), token, keys)
        #expect(result.accepted == [] && result.tried > count * 9 / 10)
    }

    @Test(
        "parts of two genuine tokens of one key make no valid token", arguments: [SignatureAlgorithm.es256, .ed25519])
    func splices(_ algorithm: SignatureAlgorithm) throws {
        let world = try TokenWorld(algorithm)
        let tokens = try ["a", "b"].map {
            try Parts(String(decoding: world.access(for: .example($0)).token.bytes, as: UTF8.self))
        }
        let (one, other) = (tokens[0], tokens[1])
        for spliced in [
            [one.header, one.payload, other.signature], [one.header, other.payload, one.signature],
            [other.header, one.payload, other.signature], [one.payload, one.header, one.signature],
            [one.header, one.payload + other.payload, one.signature], [one.header, one.header, one.signature],
        ] {
            let token = Array(spliced.joined(separator: ".").utf8)
            #expect(throws: TokenFault.self) { try VerifiedJWS.verify(token, with: world.keySet) }
        }
    }

    @Test("every flipped bit of a cookie, and every exchanged pair of adjacent characters")
    func cookie() throws {
        let world = try TokenWorld()
        let cookie = try world.cookie()
        var accepted = 0
        for bit in 0..<(cookie.count * 8) {
            var mutant = cookie
            mutant[bit / 8] ^= 1 << UInt8(bit % 8)
            if (try? world.verifier.verify(cookie: mutant, at: TokenWorld.now)) != nil { accepted += 1 }
        }
        for index in cookie.indices.dropLast() where cookie[index] != cookie[index + 1] {
            var mutant = cookie
            mutant.swapAt(index, index + 1)
            if (try? world.verifier.verify(cookie: mutant, at: TokenWorld.now)) != nil { accepted += 1 }
        }
        #expect(accepted == 0)
        #expect((try? world.verifier.verify(cookie: cookie, at: TokenWorld.now)) != nil)
    }

    @Test("random bytes of every length up to 300, and long ones, are refused without a crash")
    func rubbish() throws {
        let world = try TokenWorld()
        var random = SeededRandom(seed: 3)
        let alphabet = Array("ABCabc019-_.~={}\"\\".utf8)
        for count in Array(0..<300) + [4095, 4096, 4097, 8191, 8192, 8193, 100_000] {
            for bytes in [
                (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) },
                (0..<count).map { _ in alphabet[Int.random(in: alphabet.indices, using: &random)] },
                [UInt8](repeating: UInt8(ascii: "."), count: count),
                [UInt8](repeating: UInt8(ascii: "~"), count: count),
                [UInt8](repeating: UInt8(ascii: "A"), count: count),
            ] {
                #expect(throws: TokenFault.self) { try world.verifier.verify(bearer: bytes, at: TokenWorld.now) }
                #expect(throws: TokenFault.self) { try world.verifier.verify(cookie: bytes, at: TokenWorld.now) }
                #expect(throws: TokenFault.self) { try world.keys.current.read(refreshToken: bytes) }
            }
        }
    }
}
