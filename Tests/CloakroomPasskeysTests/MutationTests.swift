import CloakroomCore
import CloakroomTokens
import Testing

@testable import CloakroomPasskeys

/// Every bit of good ceremonies flipped, and every one of their prefixes: nothing crashes, and nothing that is signed or
/// compared passes.
@Suite struct MutationTests {
    /// All inputs that differ in one bit, and all that end early.
    private static func mutants(of bytes: [UInt8]) -> [(place: Int, bytes: [UInt8])] {
        let flipped = bytes.indices.flatMap { place in
            (0..<8).map { bit in
                var mutant = bytes
                mutant[place] ^= 1 << UInt8(bit)
                return (place, mutant)
            }
        }
        return flipped + bytes.indices.map { ($0, Array(bytes[..<$0])) }
    }

    @Test(
        "no mutant of an assertion passes", .timeLimit(.minutes(5)), arguments: ["discoverable-uv", "synced-backed-up"])
    func assertion(_ id: String) throws {
        let captured = try Captured()
        let recorded = try #require(captured.assertions.first { $0.id == id })
        let passkey = try captured.passkey(recorded.base)
        let ceremony = try recorded.authentication(of: passkey)
        let good = try AuthenticationResponse(parsing: recorded.body)
        let parts = [good.clientDataJSON, good.authenticatorData, good.signature]
        for part in parts.indices {
            for mutant in Self.mutants(of: parts[part]) {
                var changed = parts
                changed[part] = mutant.bytes
                let body = ResponseBody.assertion(
                    id: good.id.bytes, clientDataJSON: changed[0], authenticatorData: changed[1],
                    signature: changed[2], userHandle: passkey.user.bytes)
                let seen = refusal { _ = try ceremony.verify(AuthenticationResponse(parsing: body), by: passkey) }
                #expect(seen != nil, "part \(part), byte \(mutant.place)")
            }
        }
    }

    @Test(
        "no mutant of the statement or the data of a packed attestation passes", .timeLimit(.minutes(5)),
        arguments: ["packed-self-es256"])
    func packed(_ id: String) throws {
        let vector = try #require(try Level3Vector.all().first { $0.id == id })
        let ceremony = try vector.registration()
        for mutant in Self.mutants(of: vector.bytes("registration", "attestationObject")) {
            let body = vector.registrationBody(attestationObject: mutant.bytes)
            let seen = refusal { _ = try ceremony.verify(RegistrationResponse(parsing: body), isKnown: false) }
            #expect(seen != nil, "byte \(mutant.place)")
        }
        for mutant in Self.mutants(of: vector.bytes("registration", "clientDataJSON")) {
            let object = vector.bytes("registration", "attestationObject")
            let body = vector.registrationBody(attestationObject: object, clientData: mutant.bytes)
            let seen = refusal { _ = try ceremony.verify(RegistrationResponse(parsing: body), isKnown: false) }
            #expect(seen != nil, "byte \(mutant.place)")
        }
    }

    // Without attestation nothing signs a registration: the bits that nothing else fixes can change, and they alone.
    @Test("a mutant of a registration passes only in BE, the reserved flags, the counter or the model")
    func registration() throws {
        let recorded = try Captured().registration("platform-uv-discoverable")
        let ceremony = try recorded.registration()
        let good = try RegistrationResponse(parsing: recorded.body)
        let object = good.attestationObject
        // The data begins after the three keys and the head of the byte string.
        let start = try #require(object.firstIndex(of: 0xA4)) + 1
        let free = Set((start + 33)..<(start + 53))
        var accepted: Set<Int> = []
        for mutant in Self.mutants(of: object) {
            let body = ResponseBody.registration(
                id: good.id.bytes, clientDataJSON: good.clientDataJSON, attestationObject: mutant.bytes)
            if refusal({ _ = try ceremony.verify(RegistrationResponse(parsing: body), isKnown: false) }) == nil {
                accepted.insert(mutant.place)
                let changed = object[start + 32] ^ mutant.bytes[start + 32]
                #expect(free.contains(mutant.place) || changed & ~0x2A == 0, "byte \(mutant.place)")
            }
        }
        #expect(accepted == free.union([start + 32]))
    }

    @Test("no mutant of the client data of a registration passes")
    func clientData() throws {
        let recorded = try Captured().registration("platform-uv-discoverable")
        let ceremony = try recorded.registration()
        let good = try RegistrationResponse(parsing: recorded.body)
        for mutant in Self.mutants(of: good.clientDataJSON) {
            let body = ResponseBody.registration(
                id: good.id.bytes, clientDataJSON: mutant.bytes, attestationObject: good.attestationObject)
            let seen = refusal { _ = try ceremony.verify(RegistrationResponse(parsing: body), isKnown: false) }
            // The name of `crossOrigin` can change, and is then the name of an unknown member.
            let text = String(decoding: mutant.bytes, as: UTF8.self)
            let isRenamed = !text.contains(#""crossOrigin""#) && text.contains("false")
            #expect(seen != nil || isRenamed, "\(text)")
        }
    }

    @Test("mutants of the JSON itself are refused or read, and never crash", .timeLimit(.minutes(5)))
    func json() throws {
        let captured = try Captured()
        for recorded in captured.registrations.prefix(1) + captured.assertions.prefix(1) {
            var refused = 0
            for mutant in Self.mutants(of: recorded.body) {
                let isRegistration = recorded.members["registration"] == nil
                let seen = refusal {
                    if isRegistration {
                        _ = try RegistrationResponse(parsing: mutant.bytes)
                    } else {
                        _ = try AuthenticationResponse(parsing: mutant.bytes)
                    }
                }
                if seen != nil { refused += 1 }
            }
            #expect(refused > recorded.body.count, "each prefix at least")
        }
    }
}
