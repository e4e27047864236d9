import CloakroomCore
import CloakroomTokens
import Testing

@testable import CloakroomPasskeys

@Suite struct ClientDataTests {
    private func refusal(of clientData: [UInt8], with authenticator: SoftwareAuthenticator = .init()) throws
        -> PasskeyRefusal?
    {
        let body = authenticator.registrationBody(clientData: clientData)
        let ceremony = try authenticator.registration()
        return CloakroomPasskeysTests.refusal {
            _ = try ceremony.verify(RegistrationResponse(parsing: body), isKnown: false)
        }
    }

    @Test("one byte order mark is dropped for reading, and counts for the hash")
    func byteOrderMark() throws {
        let authenticator = SoftwareAuthenticator()
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let plain = authenticator.clientData("webauthn.create")
        #expect(try refusal(of: mark + plain, with: authenticator) == nil)
        #expect(try ClientData(parsing: mark + plain).hash != ClientData(parsing: plain).hash)
        for bytes in [mark + mark + plain, plain + mark, [0xFE, 0xFF] + plain, [0xEF, 0xBB] + plain, mark] {
            #expect(throws: PasskeyRefusal.self) { try ClientData(parsing: bytes) }
        }
    }

    static let memberRows: [(String, PasskeyRefusal?)] = [
        ("", nil), (#","crossOrigin":false"#, nil), (#","crossOrigin":true"#, .crossOrigin),
        (#","crossOrigin":null"#, .clientData("has a crossOrigin that is not true or false")),
        (#","crossOrigin":"false""#, .clientData("has a crossOrigin that is not true or false")),
        (#","topOrigin":"https://example.com""#, .crossOrigin), (#","topOrigin":null"#, .crossOrigin),
        (#","topOrigin":"https://auth.example.com""#, .crossOrigin),
        (#","tokenBinding":{"status":"supported"},"other_keys_can_be_added_here":"…","androidPackageName":"x""#, nil),
        (#","origin":"https://auth.example.com""#, .clientData("is not strict JSON: a member name stands twice")),
        (#","or\u0069gin":"https://auth.example.com""#, .clientData("is not strict JSON: a member name stands twice")),
        (#","a":{"b":1,"b":1}"#, .clientData("is not strict JSON: a member name stands twice")),
        (#","a":[[[[[[[[[[1]]]]]]]]]]"#, .clientData("is not strict JSON: nested too deeply")),
        (",", .clientData("is not strict JSON: a member name was expected")),
    ]

    @Test("members that are not known are ignored, duplicates and frames of others are refused", arguments: memberRows)
    func members(_ members: String, _ expected: PasskeyRefusal?) throws {
        var authenticator = SoftwareAuthenticator()
        authenticator.members = members
        #expect(try refusal(of: authenticator.clientData("webauthn.create"), with: authenticator) == expected)
    }

    @Test("type, challenge and origin are there, as strings", arguments: ["type", "challenge", "origin"])
    func required(_ name: String) throws {
        let authenticator = SoftwareAuthenticator()
        let good = try #require(JSONReader.read(authenticator.clientData("webauthn.create")).objectValue)
        for value: JSONValue? in [nil, .null, 1, [], [:], true] {
            var members = good
            members[name] = value
            let seen = try refusal(of: JSONValue.object(members).serialized, with: authenticator)
            #expect(seen == .clientData("has no string \(name)"))
        }
    }

    static let origins: [(String, Bool)] = [
        ("https://auth.example.com", true), ("https://example.com:8443", true), ("https://example.com", false),
        ("https://auth.example.com:443", false), ("https://auth.example.com/", false),
        ("https://auth.example.com.", false), ("https://Auth.example.com", false), ("http://auth.example.com", false),
        ("https://auth.example.com:8443", false), ("https://evil.auth.example.com", false),
        ("https://auth.example.com.evil.com", false), ("https://auth.example.com@evil.com", false), ("null", false),
        ("", false), ("https://auth.example.com\u{0}", false), (" https://auth.example.com", false),
        ("HTTPS://auth.example.com", false), ("android:apk-key-hash:abc", false), ("auth.example.com", false),
    ]

    @Test("the origin is exactly one of the site's", arguments: origins)
    func origin(_ origin: String, _ isAccepted: Bool) throws {
        var authenticator = SoftwareAuthenticator()
        authenticator.origin = String(
            decoding: JSONValue.string(origin).serialized.dropFirst().dropLast(), as: UTF8.self)
        let seen = try refusal(of: authenticator.clientData("webauthn.create"), with: authenticator)
        #expect(seen == (isAccepted ? nil : .wrongOrigin))
    }

    // String equality calls the Kelvin sign and the letter K equal.
    @Test("the challenge and the type are compared by bytes")
    func bytes() throws {
        let authenticator = SoftwareAuthenticator()
        let good = String(decoding: authenticator.clientData("webauthn.create"), as: UTF8.self)
        let challenge = Base64URL.encode(authenticator.challenge)
        #expect(challenge.contains("K"))
        for changed in [
            challenge.replacing("K", with: "\u{212A}"), challenge + "=", challenge + " ", challenge.lowercased(), "",
            String(challenge.dropLast()), challenge + challenge,
        ] {
            let bytes = Array(good.replacing(challenge, with: changed).utf8)
            #expect(try refusal(of: bytes, with: authenticator) == .wrongChallenge)
        }
        for type in ["webauthn.get", "WEBAUTHN.CREATE", "webauthn.create ", "payment.get", ""] {
            let bytes = Array(good.replacing("webauthn.create", with: type).utf8)
            #expect(try refusal(of: bytes, with: authenticator) == .wrongType)
        }
    }

    @Test("4,096 bytes are accepted, one more is not; nor is what is no strict JSON object")
    func form() throws {
        let authenticator = SoftwareAuthenticator()
        let good = authenticator.clientData("webauthn.create")
        func padded(_ count: Int) -> [UInt8] { good + [UInt8](repeating: 0x20, count: count - good.count) }
        #expect(try refusal(of: padded(4096), with: authenticator) == nil)
        #expect(
            try refusal(of: padded(4097), with: authenticator)
                == .malformedResponse("clientDataJSON has over 4096 bytes"))
        for bytes in [[], Array("null".utf8), [0x5B] + good + [0x5D], good + good, good + [0], Array(good.dropLast())] {
            guard case .clientData? = try refusal(of: bytes, with: authenticator) else {
                Issue.record("\(String(decoding: bytes, as: UTF8.self))")
                continue
            }
        }
        #expect(
            try refusal(of: good.map { $0 == 0x2E ? 0xFF : $0 }) == .clientData("is not strict JSON: invalid UTF-8"))
    }
}

@Suite struct RelyingPartyTests {
    static let rows: [(String, [String], Bool)] = [
        ("example.com", ["https://example.com"], true), ("example.com", ["https://auth.example.com:8443"], true),
        ("auth.example.com", ["https://auth.example.com"], true), ("localhost", ["http://localhost:9800"], true),
        ("app.localhost", ["http://a.app.localhost:9800", "http://app.localhost"], true),
        // Another site, a sub-domain as the RP ID, and a suffix that is no label.
        ("example.com", ["https://example.org"], false), ("auth.example.com", ["https://example.com"], false),
        ("example.com", ["https://badexample.com"], false),
        ("example.com", ["https://example.com", "https://a.org"], false),
        // No secure context, and addresses.
        ("example.com", ["http://example.com"], false), ("127.0.0.1", ["http://127.0.0.1:9800"], false),
        ("[::1]", ["http://[::1]:9800"], false), ("192.0.2.1", ["https://192.0.2.1"], false),
        // No host name.
        ("", ["https://example.com"], false), ("example.com:443", ["https://example.com"], false),
        ("example.com:8443", ["https://example.com:8443"], false), ("Example.com", ["https://example.com"], false),
        ("https://example.com", ["https://example.com"], false), ("example.com.", ["https://example.com"], false),
        ("example.com", [], false),
    ]

    @Test("browsers let every origin use the RP ID, else there is no such site", arguments: rows)
    func row(_ id: String, _ origins: [String], _ isUsable: Bool) throws {
        let parsed = try origins.map { try #require(WebOrigin(parsing: $0)) }
        #expect((RelyingParty(id: id, origins: parsed) != nil) == isUsable)
    }
}
