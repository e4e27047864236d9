import CloakroomCore
import CloakroomTokens
import Foundation
import Testing

@testable import CloakroomPasskeys

/// The recorded ceremonies of `Vectors`, read with our own JSON reader.
enum Vectors {
    static func read(_ name: String) throws -> JSONObject {
        guard let url = Bundle.module.url(forResource: "Vectors/\(name)", withExtension: "json") else {
            throw CocoaError(.fileNoSuchFile)
        }
        return try JSONReader.read(Array(Data(contentsOf: url)), maximumDepth: 16).objectValue ?? [:]
    }
}

/// One recorded response, with the options that were sent.
struct Recorded {
    let members: JSONObject

    var id: String { members["id"]?.stringValue ?? "" }
    var step: String { members["step"]?.stringValue ?? "" }
    var isRegistration: Bool { members["ceremony"] == "registration" }
    /// The registration or assertion that this one is made from.
    var base: String { (members["base"] ?? members["registration"])?.stringValue ?? "" }
    var isKnown: Bool { members["isKnown"] == true }
    var expected: JSONObject { members["expect"]?.objectValue ?? [:] }
    var stored: JSONObject { members["stored"]?.objectValue ?? [:] }
    var body: [UInt8] { members["response"]?.serialized ?? [] }

    private var options: JSONObject { members["options"]?.objectValue ?? [:] }

    private func bytes(_ option: String) throws -> [UInt8] {
        try #require(options[option]?.stringValue.flatMap { Base64URL.decode($0) })
    }

    private var userVerification: UserVerificationRequirement {
        options["userVerification"]?.stringValue.flatMap { .init(rawValue: $0) } ?? .preferred
    }

    private func site() throws -> RelyingParty {
        let id = members["rpId"]?.stringValue ?? "localhost"
        let origin = try #require(WebOrigin(parsing: members["origin"]?.stringValue ?? "http://localhost:9800"))
        return try #require(RelyingParty(id: id, origins: [origin]))
    }

    func registration() throws -> RegistrationCeremony {
        let algorithms = (options["algorithms"]?.arrayValue ?? []).compactMap(\.integerValue)
        return RegistrationCeremony(
            site: try site(), challenge: try bytes("challenge"), user: try #require(UserHandle(try bytes("user"))),
            algorithms: algorithms.compactMap { COSEAlgorithm(rawValue: $0) }, userVerification: userVerification)
    }

    func authentication(of passkey: Passkey) throws -> AuthenticationCeremony {
        let allowed = (options["allowed"]?.arrayValue ?? []).compactMap(\.stringValue)
        return AuthenticationCeremony(
            site: try site(), challenge: try bytes("challenge"), user: allowed.isEmpty ? nil : passkey.user,
            allowed: allowed.compactMap { Base64URL.decode($0).flatMap { PasskeyID($0) } },
            userVerification: userVerification)
    }
}

/// The ceremonies that Chromium and Firefox ran.
struct Captured {
    let registrations: [Recorded]
    let assertions: [Recorded]
    let refused: [Recorded]

    init() throws {
        let file = try Vectors.read("captured")
        func list(_ name: String) -> [Recorded] {
            (file[name]?.arrayValue ?? []).compactMap { $0.objectValue.map { Recorded(members: $0) } }
        }
        registrations = list("registrations")
        assertions = list("assertions")
        refused = list("refused")
    }

    func registration(_ id: String) throws -> Recorded {
        try #require(registrations.first { $0.id == id }, "\(id)")
    }

    /// The passkey of a recorded registration.
    func passkey(_ id: String) throws -> Passkey {
        let recorded = try registration(id)
        return try recorded.registration().verify(RegistrationResponse(parsing: recorded.body), isKnown: false).passkey
    }

    /// The passkey that a refused authentication is to be verified with.
    func passkey(of refused: Recorded) throws -> Passkey {
        let assertion = assertions.first { $0.id == refused.base }
        var passkey = try passkey(assertion?.base ?? refused.base)
        passkey.signCount = UInt32(try #require(refused.stored["signCount"]?.integerValue))
        #expect(refused.stored["be"] == .bool(passkey.isBackupEligible))
        passkey.isBackedUp = refused.stored["bs"] == true
        return passkey
    }
}

/// The refusal that the body throws, or nil.
func refusal(_ body: () throws -> Void) -> PasskeyRefusal? {
    do {
        try body()
        return nil
    } catch let refusal as PasskeyRefusal {
        return refusal
    } catch {
        Issue.record(error)
        return nil
    }
}
