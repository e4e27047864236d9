import CloakroomTokens
import Testing

@testable import CloakroomPasskeys

/// The steps of section 7.2 for which no recorded ceremony exists.
@Suite struct AuthenticationCeremonyTests {
    private let authenticator = SoftwareAuthenticator()

    @Test("an id that no account has is refused, and so is the record of another passkey")
    func unknown() throws {
        let ceremony = try authenticator.authentication()
        let response = try authenticator.assertion()
        #expect(refusal { _ = try ceremony.verify(response, by: nil) } == .unknownCredential)
        let other = try Captured().passkey("platform-uv-discoverable")
        #expect(refusal { _ = try ceremony.verify(response, by: other) } == .unknownCredential)
    }

    @Test("where the user is known, the passkey is his, and a userHandle too; where not, the userHandle says who he is")
    func user() throws {
        let passkey = try authenticator.passkey()
        let stranger = try #require(UserHandle([9]))
        let rows: [(UserHandle?, [UInt8]?, PasskeyRefusal?)] = [
            (nil, authenticator.user, nil), (nil, nil, .missingUserHandle), (nil, [9], .wrongUser),
            (passkey.user, authenticator.user, nil), (passkey.user, nil, nil), (passkey.user, [9], .wrongUser),
            (stranger, authenticator.user, .wrongUser), (stranger, nil, .wrongUser), (stranger, [9], .wrongUser),
        ]
        for (known, handle, expected) in rows {
            let ceremony = try authenticator.authentication(user: known)
            let data = authenticator.authenticatorData(flags: 0x05)
            let response = try AuthenticationResponse(
                parsing: authenticator.assertionBody(data: data, userHandle: handle))
            #expect(refusal { _ = try ceremony.verify(response, by: passkey) } == expected)
        }
    }

    @Test("allowCredentials allows its own passkeys and no others; an empty one allows all")
    func allowed() throws {
        let passkey = try authenticator.passkey()
        let other = try #require(PasskeyID([1, 2, 3]))
        let rows: [([PasskeyID], PasskeyRefusal?)] = [
            ([], nil), ([passkey.id], nil), ([other, passkey.id], nil), ([other], .credentialNotAllowed),
        ]
        let response = try authenticator.assertion()
        for (allowed, expected) in rows {
            let ceremony = try authenticator.authentication(user: passkey.user, allowed: allowed)
            #expect(refusal { _ = try ceremony.verify(response, by: passkey) } == expected)
        }
    }

    static let flagRows: [(UInt8, UInt8, UserVerificationRequirement, PasskeyRefusal?)] = [
        (0x45, 0x05, .required, nil), (0x45, 0x01, .required, .userNotVerified), (0x45, 0x01, .preferred, nil),
        (0x45, 0x04, .required, .userNotPresent), (0x45, 0x04, .discouraged, .userNotPresent),
        (0x45, 0x15, .required, .backedUpButNotEligible), (0x45, 0x0D, .required, .backupEligibilityChanged),
        (0x4D, 0x05, .required, .backupEligibilityChanged), (0x4D, 0x0D, .required, nil), (0x4D, 0x1D, .required, nil),
        (0x5D, 0x0D, .required, nil),
        // A passkey that has not verified its user: not even now, with nothing beside it.
        (0x41, 0x05, .required, .userVerificationNotInitialized), (0x41, 0x01, .required, .userNotVerified),
        (0x41, 0x05, .preferred, nil), (0x41, 0x01, .discouraged, nil),
        // An attested credential in an assertion, and the reserved bits.
        (0x45, 0x45, .required, .authenticatorData(.truncated)), (0x45, 0x27, .required, nil),
    ]

    @Test("the flags decide as the options and the record say", arguments: flagRows)
    func flags(
        _ registered: UInt8, _ flags: UInt8, _ userVerification: UserVerificationRequirement,
        _ expected: PasskeyRefusal?
    ) throws {
        let passkey = try authenticator.passkey(flags: registered)
        let ceremony = try authenticator.authentication(userVerification)
        let response = try authenticator.assertion(flags: flags)
        #expect(refusal { _ = try ceremony.verify(response, by: passkey) } == expected)
    }

    @Test("an assertion with an attested credential is refused, though it is complete and signed")
    func credential() throws {
        let data = authenticator.authenticatorData(flags: 0x45, credential: authenticator.coseKey)
        let body = try authenticator.assertionBody(data: data, userHandle: authenticator.user)
        let passkey = try authenticator.passkey()
        let seen = refusal {
            _ = try authenticator.authentication().verify(AuthenticationResponse(parsing: body), by: passkey)
        }
        #expect(seen == .authenticatorData(.unexpectedCredential))
    }

    @Test("extensions are accounted for")
    func extensions() throws {
        let passkey = try authenticator.passkey()
        let map = CBORValue.map(["uvm": .array([.array([2, 4, 2])])]).encoded
        let response = try authenticator.assertion(flags: 0x85, extensions: map)
        #expect(throws: Never.self) { try authenticator.authentication().verify(response, by: passkey) }
        let longer = try authenticator.assertion(flags: 0x85, extensions: map + [0])
        let seen = refusal { _ = try authenticator.authentication().verify(longer, by: passkey) }
        #expect(seen == .authenticatorData(.trailingBytes))
    }

    /// Backup eligibility, stored count, new count; what the counter says, or nil for a refusal.
    static let counters: [(Bool, UInt32, UInt32, SignatureCounter?)] = [
        (false, 0, 0, .notKept), (false, 0, 1, .increased), (false, 1, 2, .increased), (false, 1, 1, nil),
        (false, 2, 1, nil), (false, 1, 0, nil), (false, .max, .max, nil), (false, .max - 1, .max, .increased),
        (true, 0, 0, .notKept), (true, 0, 1, .increased), (true, 1, 1, .notIncreased), (true, 9, 1, .notIncreased),
        (true, 1, 0, .notIncreased),
    ]

    @Test(
        "a counter that does not increase refuses a passkey of one device, and is told of one that is synced",
        arguments: counters)
    func counter(_ eligible: Bool, _ stored: UInt32, _ count: UInt32, _ expected: SignatureCounter?) throws {
        var passkey = try authenticator.passkey(flags: eligible ? 0x4D : 0x45)
        passkey.signCount = stored
        let response = try authenticator.assertion(flags: eligible ? 0x0D : 0x05, count: count)
        let ceremony = try authenticator.authentication()
        guard let expected else {
            #expect(refusal { _ = try ceremony.verify(response, by: passkey) } == .counterNotIncreased)
            return
        }
        let verified = try ceremony.verify(response, by: passkey)
        #expect(verified.counter == expected)
        #expect(verified.passkey(besideAnotherFactor: false).signCount == max(stored, count))
    }

    @Test("a passkey may log in alone after it has verified its user beside another factor, and not before")
    func initialization() throws {
        let passkey = try authenticator.passkey(flags: 0x40, mediation: .conditional)
        #expect(!passkey.isUserVerificationInitialized)
        let beside = try authenticator.authentication(user: passkey.user, .preferred)
        for (flags, factor, expected) in [(UInt8(0x05), true, true), (0x05, false, false), (0x01, true, false)] {
            let verified = try beside.verify(authenticator.assertion(flags: flags), by: passkey)
            let updated = verified.passkey(besideAnotherFactor: factor)
            #expect(updated.isUserVerificationInitialized == expected)
            let alone = refusal {
                _ = try authenticator.authentication().verify(authenticator.assertion(), by: updated)
            }
            #expect(alone == (expected ? nil : .userVerificationNotInitialized))
        }
        let verified = try authenticator.authentication().verify(authenticator.assertion(), by: authenticator.passkey())
        #expect(verified.passkey(besideAnotherFactor: false).isUserVerificationInitialized, "it stays")
    }

    @Test("the state of the backup is stored, and the rest of the record stays")
    func update() throws {
        let passkey = try authenticator.passkey(flags: 0x5D, count: 3)
        let verified = try authenticator.authentication().verify(
            authenticator.assertion(flags: 0x0D, count: 4), by: passkey)
        var expected = passkey
        expected.signCount = 4
        expected.isBackedUp = false
        #expect(verified.passkey(besideAnotherFactor: true) == expected)
        #expect(verified.id == passkey.id && verified.user == passkey.user && verified.isUserVerified)
    }
}
