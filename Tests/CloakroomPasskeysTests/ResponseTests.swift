import CloakroomCore
import CloakroomTokens
import Testing

@testable import CloakroomPasskeys

/// The JSON of responses, before anything in it is verified.
@Suite struct ResponseTests {
    private static func refusal(_ change: (inout JSONObject) -> Void, registration: Bool) throws -> PasskeyRefusal? {
        let authenticator = SoftwareAuthenticator()
        let data = authenticator.authenticatorData(flags: 0x05)
        let body =
            try registration
            ? authenticator.registrationBody() : authenticator.assertionBody(data: data, userHandle: [1])
        var members = try #require(JSONReader.read(body).objectValue)
        change(&members)
        let changed = JSONValue.object(members).serialized
        return CloakroomPasskeysTests.refusal {
            if registration {
                _ = try RegistrationResponse(parsing: changed)
            } else {
                _ = try AuthenticationResponse(parsing: changed)
            }
        }
    }

    private static func isMalformed(_ refusal: PasskeyRefusal?) -> Bool {
        if case .malformedResponse? = refusal { true } else { false }
    }

    @Test("the type is public-key, and the members have their form", arguments: [true, false])
    func members(_ registration: Bool) throws {
        #expect(try Self.refusal({ _ in }, registration: registration) == nil)
        for name in ["id", "rawId", "type", "response"] {
            for value: JSONValue? in [nil, .null, 1, [], "=", "a"] {
                let seen = try Self.refusal({ $0[name] = value }, registration: registration)
                #expect(Self.isMalformed(seen) || name == "id" && seen == .differentIDs, "\(name)")
            }
        }
        let names =
            registration
            ? ["clientDataJSON", "attestationObject"] : ["clientDataJSON", "authenticatorData", "signature"]
        for name in names {
            for value: JSONValue? in [nil, .null, 1, "AA==", "A", "AB", "+/+/", "AA A"] {
                let seen = try Self.refusal(
                    { members in
                        var response = members["response"]?.objectValue ?? [:]
                        response[name] = value
                        members["response"] = .object(response)
                    }, registration: registration)
                #expect(Self.isMalformed(seen), "\(name)")
            }
        }
    }

    @Test("id is the base64url of rawId, of 1 to 1023 bytes", arguments: [true, false])
    func ids(_ registration: Bool) throws {
        for (count, expected): (Int, PasskeyRefusal?) in [
            (0, .credentialIDLength), (1, nil), (1023, nil), (1024, .credentialIDLength),
        ] {
            let id = ResponseBody.encoded([UInt8](repeating: 1, count: count))
            let seen = try Self.refusal({ ($0["id"], $0["rawId"]) = (id, id) }, registration: registration)
            #expect(seen == expected)
        }
        let seen = try Self.refusal({ $0["id"] = "AQ" }, registration: registration)
        #expect(seen == .differentIDs)
    }

    @Test("what is not known is ignored, also where browsers add it", arguments: [true, false])
    func unknown(_ registration: Bool) throws {
        let seen = try Self.refusal(
            {
                $0["futureMember"] = ["a": 1]
                $0["authenticatorAttachment"] = "something-new"
                $0["clientExtensionResults"] = ["credProps": ["rk": "yes"], "prf": ["enabled": true]]
            }, registration: registration)
        #expect(seen == nil)
    }

    @Test("transports are a short list of short strings, and a missing one is empty")
    func transports() throws {
        let authenticator = SoftwareAuthenticator()
        let longName = String(repeating: "a", count: 33)
        let many = JSONValue.array((0..<17).map { .string("t\($0)") })
        for value: JSONValue in ["internal", [1], [""], [.string(longName)], many, [:], .null] {
            let body = authenticator.registrationBody(transports: value)
            #expect(Self.isMalformed(CloakroomPasskeysTests.refusal { _ = try RegistrationResponse(parsing: body) }))
        }
        let body = authenticator.registrationBody(transports: [])
        #expect(try RegistrationResponse(parsing: body).transports.isEmpty)
    }

    @Test("a userHandle has 1 to 64 bytes, and null is none")
    func userHandle() throws {
        let authenticator = SoftwareAuthenticator()
        let data = authenticator.authenticatorData(flags: 0x05)
        for count in [0, 1, 64, 65] {
            let handle = [UInt8](repeating: 1, count: count)
            let body = try authenticator.assertionBody(data: data, userHandle: handle)
            let seen = CloakroomPasskeysTests.refusal { _ = try AuthenticationResponse(parsing: body) }
            #expect(1...64 ~= count ? seen == nil : Self.isMalformed(seen))
        }
        let body = try authenticator.assertionBody(data: data, userHandle: nil)
        #expect(try AuthenticationResponse(parsing: body).userHandle == nil)
    }

    @Test("a body of over 64 kB is refused, and so is what is no strict JSON object")
    func body() throws {
        let good = SoftwareAuthenticator().registrationBody()
        let padded = good + [UInt8](repeating: 0x20, count: 65536 - good.count)
        #expect(throws: Never.self) { try RegistrationResponse(parsing: padded) }
        for bytes in [
            padded + [0x20], [], Array("null".utf8), Array("[]".utf8), good + good, [0xEF, 0xBB, 0xBF] + good,
        ] {
            let seen = CloakroomPasskeysTests.refusal { _ = try RegistrationResponse(parsing: bytes) }
            #expect(Self.isMalformed(seen))
        }
    }
}
