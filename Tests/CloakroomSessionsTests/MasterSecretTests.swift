import CloakroomCore
import CloakroomStores
import CloakroomTesting
import CloakroomTokens
import Testing

@testable import CloakroomSessions

@Suite struct MasterSecretTests {
    private static let identity = identity()
    private let one = secrets(1)
    private let two = secrets(2)
    private let key = Secret(Array(0..<32))

    private static func identity(
        id: String = "k", kind: KeyIdentity.Kind = .signing, algorithm: String = "ES256", period: Int64? = 3,
        createdAt: Int64 = 5, signsFrom: Int64 = 7
    ) -> KeyIdentity {
        KeyIdentity(
            id: id, kind: kind, algorithm: algorithm, period: period, createdAt: Instant(milliseconds: createdAt),
            signsFrom: Instant(milliseconds: signsFrom))
    }

    /// Secrets whose bytes are all the same.
    static func secrets(_ bytes: UInt8...) -> MasterSecrets {
        let text = bytes.map { Base64URL.encode([UInt8](repeating: $0, count: 32)) }.joined(separator: "\n")
        guard let secrets = MasterSecrets(parsing: text) else { fatalError("unreadable") }
        return secrets
    }

    @Test("a sealed key opens again, and its seal contains neither the key nor the secret")
    func opens() throws {
        let sealed = try SealedKey.seal(key, of: Self.identity, under: one.first)
        #expect(try SealedKey.open(sealed, of: Self.identity, with: Self.secrets(2, 1)) == key)
        #expect(!sealed.contains(key.bytes) && !sealed.contains([UInt8](repeating: 1, count: 4)))
        #expect(try SealedKey.seal(key, of: Self.identity, under: one.first) != sealed, "each has a nonce of its own")
        #expect(SealedKey.secretID(of: sealed) == one.first.id && one.first.id != two.first.id)
    }

    @Test("under another master secret it does not open, and the fault names the right one")
    func otherSecret() throws {
        let sealed = try SealedKey.seal(key, of: Self.identity, under: one.first)
        #expect(throws: SealedKey.Fault.otherSecret(id: one.first.id)) {
            try SealedKey.open(sealed, of: Self.identity, with: two)
        }
    }

    @Test(
        "a seal is good for its row alone",
        arguments: [
            identity(id: "l"), identity(kind: .refresh), identity(algorithm: "Ed25519"), identity(period: 4),
            identity(period: nil), identity(createdAt: 6), identity(signsFrom: 8),
            identity(id: "", algorithm: "ES256k"),
        ])
    func otherRow(_ other: KeyIdentity) throws {
        let sealed = try SealedKey.seal(key, of: Self.identity, under: one.first)
        #expect(throws: SealedKey.Fault.altered) { try SealedKey.open(sealed, of: other, with: one) }
    }

    @Test("no changed byte of a seal, and no other length, opens")
    func altered() throws {
        let sealed = try SealedKey.seal(key, of: Self.identity, under: one.first)
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(throws: SealedKey.Fault.self) { try SealedKey.open(changed, of: Self.identity, with: one) }
        }
        for count in 0..<sealed.count {
            #expect(throws: SealedKey.Fault.self) {
                try SealedKey.open(Array(sealed.prefix(count)), of: Self.identity, with: one)
            }
        }
        var newer = sealed
        newer[0] = 2
        #expect(throws: SealedKey.Fault.version(2)) { try SealedKey.open(newer, of: Self.identity, with: one) }
    }

    @Test(
        "a text of secrets has one or more of 32 bytes in base64url",
        arguments: [
            ("", nil), (" \n", nil), (secrets(1).text, 1), (secrets(1).text + "\n", 1), (secrets(1, 2).text, 2),
            (secrets(1).text + " , \n" + secrets(2).text, 2), (secrets(1).text + "=", nil),
            (Base64URL.encode([UInt8](repeating: 1, count: 31)), nil), (secrets(1).text + " x", nil),
        ] as [(String, Int?)])
    func parsing(_ row: (text: String, count: Int?)) {
        #expect(MasterSecrets(parsing: row.text)?.all.count == row.count)
    }

    @Test("a master secret is in no description")
    func redacted() {
        let text = one.text
        for described in ["\(one)", String(reflecting: one), "\(one.first)"] { #expect(!described.contains(text)) }
        var dumped = ""
        dump(one, to: &dumped)
        #expect(!dumped.contains(text) && !dumped.contains("[1, 1"))
    }
}
