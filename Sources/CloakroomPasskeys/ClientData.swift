import CloakroomCore
import CloakroomTokens
import Crypto

/// What the browser says about a ceremony (WebAuthn Level 3 section 5.8.1). The authenticator signs its hash.
struct ClientData: Hashable, Sendable {
    private let type: String
    private let challenge: String
    private let origin: String
    /// Whether the page was in a frame of another origin.
    private let isFramed: Bool
    /// SHA-256 of the bytes that were received. JSON that is written again may differ.
    let hash: [UInt8]

    /// The maximum size of `clientDataJSON`, in bytes.
    static let maximumSize = 4096

    /// The values of `type`.
    enum CeremonyType: String {
        case registration = "webauthn.create"
        case authentication = "webauthn.get"
    }

    /// Ignores members that it does not know: Chromium adds one at random, to catch parsers that do not.
    init(parsing bytes: [UInt8]) throws(PasskeyRefusal) {
        let members = try Self.members(bytes)
        type = try Self.string(members, "type")
        challenge = try Self.string(members, "challenge")
        origin = try Self.string(members, "origin")
        isFramed = try Self.flag(members, "crossOrigin") || members["topOrigin"] != nil
        hash = Array(SHA256.hash(data: bytes))
    }

    /// Checks that the browser ran this ceremony, in a page of this site that is in no frame of another.
    func check(_ type: CeremonyType, challenge: [UInt8], for site: RelyingParty) throws(PasskeyRefusal) {
        // By bytes: String equality treats canonically equivalent spellings as the same.
        guard self.type.utf8.elementsEqual(type.rawValue.utf8) else { throw .wrongType }
        guard self.challenge.utf8.elementsEqual(Base64URL.encodedBytes(challenge)) else { throw .wrongChallenge }
        guard site.contains(origin: origin) else { throw .wrongOrigin }
        guard !isFramed else { throw .crossOrigin }
    }

    /// Drops one byte order mark, as "UTF-8 decode" of the Encoding Standard does.
    private static func members(_ bytes: [UInt8]) throws(PasskeyRefusal) -> JSONObject {
        guard bytes.count <= maximumSize else { throw .clientData("is longer than \(maximumSize) bytes") }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
        let value: JSONValue
        do {
            value = try JSONReader.read(text)
        } catch {
            throw .clientData("is not strict JSON: \(error.reason)")
        }
        guard let members = value.objectValue else { throw .clientData("is not a JSON object") }
        return members
    }

    private static func string(_ members: JSONObject, _ name: String) throws(PasskeyRefusal) -> String {
        guard let string = members[name]?.stringValue else { throw .clientData("has no string \(name)") }
        return string
    }

    /// False where the member is missing: Level 1 did not have it.
    private static func flag(_ members: JSONObject, _ name: String) throws(PasskeyRefusal) -> Bool {
        guard let member = members[name] else { return false }
        guard let flag = member.boolValue else { throw .clientData("has a \(name) that is not true or false") }
        return flag
    }
}
