import CloakroomCore
import Testing

@testable import CloakroomAccounts
@testable import CloakroomSessions
@testable import CloakroomStores

@Suite struct PasswordTests {
    private func objection(_ text: String, for email: String = "ann.smith@example.com") throws -> String? {
        try #require(Password(text)).objection(for: try #require(EmailAddress(parsing: email)))
    }

    @Test(
        "any eight characters are accepted",
        arguments: [
            "abcdefgz", "        ", "correct horse battery staple",
            "\u{1F600}\u{1F601}\u{1F602}\u{1F603}\u{1F604}\u{1F605}\u{1F606}\u{1F608}",
            "tr0ub4dor&3", "\u{442}\u{440}\u{438}\u{434}\u{446}\u{430}\u{442}\u{44C}", "zyxwvuta", "pass\u{0}word word",
        ].dropFirst(0))
    func allowed(_ text: String) throws {
        guard text != "        " else { return #expect(try objection(text) != nil, "all the same character") }
        #expect(try objection(text) == nil)
    }

    @Test(
        "common passwords are refused",
        arguments: [
            "password", "Password1", "PASSWORD!!", "p@ssw0rd", "qwertyuiop", "iloveyou2024", "12345678", "87654321",
            "aaaaaaaa", "abcdefgh", "letmein123", "Cloakroom1", "ann.smith@example.com", "annsmith1", "1234567",
        ])
    func refused(_ text: String) throws {
        #expect(try objection(text) != nil)
    }

    @Test(
        "a password that is made of the address is refused, in any spelling",
        arguments: [
            ("ann@example.com", "ann@example.com"), ("ann@example.com", "ANN@Example.COM"),
            ("ann@example.com", "ann@example.com1"), ("ann@example.com", "12ann@example.com!!"),
            ("ann@example.com", "annexamplecom"), ("ann@example.com", "ann example com"),
            ("ann@example.com", "ann12345"), ("ann@example.com", "2026-ANN-2027"), ("ann@example.com", "annann2026"),
            ("ann@example.com", "example.com1"), ("ann.smith@example.com", "annsmith"),
            ("ann.smith@example.com", "Ann_Smith!"), ("ann.smith@example.com", "ann.smith1984"),
            ("ann.smith@example.com", "annsmithannsmith"), ("ann+shop@example.com", "ann-87654"),
            ("ann+shop@example.com", "annshop99"), ("ann+shop@example.com", "ann+shop@example.com"),
            ("ann1984@example.com", "ann20267"), ("90817264@qq.com", "90817264"), ("90817264@qq.com", "9081-7264!"),
            ("90817264@qq.com", "90817264@qq.com"),
        ])
    func madeOfTheAddress(_ email: String, _ password: String) throws {
        #expect(try objection(password, for: email) == "must not be the e-mail address")
    }

    @Test(
        "a password that only resembles the address, or has a part of it among other words, is allowed",
        arguments: [
            ("12345678@qq.com", "90817264"), ("90817264@qq.com", "90817265"), ("90817264@qq.com", "90817264x1"),
            ("ann@example.com", "annual rain"), ("ann@example.com", "ann likes tea"),
            ("ann.smith@example.com", "smithsonian"), ("a@example.com", "a90817264"), ("a@example.com", "aa908172"),
            ("ab@example.com", "ab-90817264"), ("1@2.3", "90817264"), ("---@example.com", "90817264"),
            ("ann@example.com", "exemplary.com"),
        ])
    func resemblesTheAddress(_ email: String, _ password: String) throws {
        #expect(try objection(password, for: email) == nil)
    }

    @Test("length is counted in Unicode characters, and a password that is too long is not hashed")
    func length() throws {
        #expect(try objection("1aB$xyz") != nil && objection("1aB$xyzw") == nil)
        #expect(Password(String(repeating: "\u{1F600}", count: 256)) != nil)
        #expect(Password(String(repeating: "x", count: 257)) == nil)
        #expect(Password(String(repeating: "x", count: 1_000_000)) == nil)
    }

    @Test("two Unicode forms of one character are the same password, different characters are not")
    func normalization() throws {
        #expect(Password("caf\u{E9} au lait")?.secret == Password("cafe\u{301} au lait")?.secret)
        #expect(Password("cafe au lait")?.secret != Password("caf\u{E9} au lait")?.secret)
        #expect(Password("Secret word")?.secret != Password("secret word")?.secret)
        #expect(Password("secret word ")?.secret != Password("secret word")?.secret)
    }
}

@Suite struct PasswordHasherTests {
    private static let cheap = PasswordHashCost(memoryKiB: 1024, passes: 1)

    private func password(_ text: String) throws -> Password { try #require(Password(text)) }

    @Test("a hash is a salted PHC string with OWASP's parameters")
    func phc() async throws {
        let hasher = try PasswordHasher(threads: 1)
        let hashes = [try await hasher.hash(password("a")), try await hasher.hash(password("a"))]
        for hash in hashes {
            #expect(String(decoding: hash.phc.bytes, as: UTF8.self).hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        }
        #expect(hashes[0] != hashes[1] && "\(hashes[0])" == "<redacted>")
    }

    @Test("every byte of a password counts, also zeros and the 73rd")
    func everyByte() async throws {
        let hasher = try PasswordHasher(cost: Self.cheap, threads: 1)
        let long = String(repeating: "x", count: 72)
        let pairs = [("a\u{0}b", "a\u{0}c"), (long + "a", long + "b"), ("", "\u{0}"), ("x", "x ")]
        for (one, other) in pairs {
            let hash = try await hasher.hash(password(one))
            #expect(try await hasher.verify(password(one), against: hash) == .right)
            #expect(try await hasher.verify(password(other), against: hash) == .wrong)
        }
    }

    @Test("an unknown account gets the same verdict as a wrong password")
    func decoy() async throws {
        let hasher = try PasswordHasher(cost: Self.cheap, threads: 1)
        #expect(try await hasher.verify(password("decoy"), against: nil) == .wrong)
    }

    @Test(
        "a malformed or too expensive stored hash is refused without a computation",
        arguments: [
            "", "x", "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$aGFzaA",
            "$argon2id$v=19$m=1024,t=1000000,p=1$c2FsdHNhbHQ$aGFzaA",
            "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=-1,t=1,p=1$c2FsdA$aGFzaA",
            "$argon2id$v=19$m=x,t=y,p=z$a$b",
            "$argon2id$v=19$m=1024,t=1,p=1$c2FsdA$" + String(repeating: "A", count: 500),
        ])
    func planted(_ phc: String) async throws {
        let hasher = try PasswordHasher(cost: Self.cheap, threads: 1)
        #expect(try await hasher.verify(password("x"), against: PasswordHash(phc: phc)) == .wrong)
    }

    @Test("requests beyond the queue are refused, and all requests in it are served")
    func bounded() async throws {
        let hasher = try PasswordHasher(cost: PasswordHashCost(memoryKiB: 8192, passes: 4), threads: 1, queueLimit: 4)
        let password = try password("x")
        let outcomes = await withTaskGroup(of: Denial?.self) { group in
            for _ in 0..<40 { group.addTask { await denial { try await hasher.hash(password) } } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.contains(.unavailable(retryAfter: .seconds(2))))
        #expect(outcomes.filter { $0 == nil }.count >= 4)
    }
}

@Suite struct AddressTests {
    @Test(
        "an address has one canonical form",
        arguments: [("Ann@Example.COM", "ann@example.com"), ("a.b+c@x-y.example", "a.b+c@x-y.example"), ("a@b", "a@b")])
    func accepted(_ text: String, _ canonical: String) {
        #expect(EmailAddress(parsing: text)?.rawValue == canonical)
    }

    @Test(
        "an address that could be read as two, or confused with another, is refused",
        arguments: [
            "", "@", "a@", "@b", "a", "a@b@c", "a@x,b@y", "a@x b@y", "\"e@evil\"@victim.example", "a@b.", "a@.b",
            "a..b@c",
            ".a@b", "a.@b", "a b@c", "a@b\n", "a@b\r\nBcc: x", "a\u{200B}@b", "a\u{FF20}b", "\u{430}nn@example.com",
            "ann@ex\u{E4}mple.com", "<a@b>", "a(c)@b", "a@[127.0.0.1]", "\(String(repeating: "a", count: 65))@b",
            "a@\(String(repeating: "b", count: 260))",
        ])
    func refused(_ text: String) {
        #expect(EmailAddress(parsing: text) == nil)
    }

    @Test("a User-Agent is cut to a length and to printable ASCII")
    func device() {
        let device = Device(
            userAgent: "a\u{1B}[31m\r\n\u{202E}b" + String(repeating: "x", count: 999), address: "")
        #expect(device.userAgent.hasPrefix("a[31mb") && device.userAgent.utf8.count == 256)
    }
}
