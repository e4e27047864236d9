import CloakroomCore
import CloakroomTokens

/// The members that the responses of both ceremonies have (`PublicKeyCredential.toJSON()`, WebAuthn Level 3 section
/// 5.1.8). Unknown members are ignored.
struct CredentialJSON {
    let id: PasskeyID
    private let response: JSONObject
    private let extensionResults: JSONObject

    /// The maximum size of a response, in bytes.
    static let maximumSize = 65536
    /// The maximum size of a signature, in bytes; that of an RSA key of 4096 bits has 512.
    static let maximumSignatureSize = 1024

    init(parsing body: [UInt8]) throws(PasskeyRefusal) {
        guard body.count <= Self.maximumSize else { throw .malformedResponse("longer than \(Self.maximumSize) bytes") }
        let value: JSONValue
        do {
            value = try JSONReader.read(body)
        } catch {
            throw .malformedResponse("not strict JSON: \(error.reason)")
        }
        guard let members = value.objectValue else { throw .malformedResponse("not a JSON object") }
        try self.init(members)
    }

    private init(_ members: JSONObject) throws(PasskeyRefusal) {
        guard members["type"] == "public-key" else { throw .malformedResponse("type is not public-key") }
        guard let response = members["response"]?.objectValue else { throw .malformedResponse("response is missing") }
        self.response = response
        extensionResults = members["clientExtensionResults"]?.objectValue ?? [:]
        id = try Self.id(members)
    }

    private static func id(_ members: JSONObject) throws(PasskeyRefusal) -> PasskeyID {
        guard let id = members["id"]?.stringValue, let rawID = members["rawId"]?.stringValue,
            let bytes = Base64URL.decode(rawID)
        else { throw .malformedResponse("id or rawId is missing or not base64url") }
        guard id.utf8.elementsEqual(rawID.utf8) else { throw .differentIDs }
        guard let passkeyID = PasskeyID(bytes) else { throw .credentialIDLength }
        return passkeyID
    }

    /// The bytes of a member of `response`.
    func bytes(_ name: String, maximumSize: Int) throws(PasskeyRefusal) -> [UInt8] {
        guard let text = response[name]?.stringValue, let bytes = Base64URL.decode(text) else {
            throw .malformedResponse("\(name) is missing or not base64url")
        }
        guard bytes.count <= maximumSize else { throw .malformedResponse("\(name) has over \(maximumSize) bytes") }
        return bytes
    }

    /// The account, if the authenticator named it.
    func userHandle() throws(PasskeyRefusal) -> UserHandle? {
        guard let member = response["userHandle"], member != .null else { return nil }
        guard let bytes = member.stringValue.flatMap({ Base64URL.decode($0) }), let handle = UserHandle(bytes) else {
            throw .malformedResponse("userHandle is not base64url of 1 to 64 bytes")
        }
        return handle
    }

    /// `transports`, where unknown values are kept (WebAuthn Level 3 section 5.8.4).
    func transports() throws(PasskeyRefusal) -> [String] {
        guard let member = response["transports"] else { return [] }
        let transports = (member.arrayValue ?? []).compactMap(\.stringValue)
        guard transports.count == member.arrayValue?.count, transports.count <= 16,
            transports.allSatisfy({ 1...32 ~= $0.utf8.count })
        else { throw .malformedResponse("transports is not a list of short strings") }
        return transports
    }

    /// The output of the extension `credProps` (section 10.1.3), the only one that is read.
    var isDiscoverable: Bool? { extensionResults["credProps"]?.objectValue?["rk"]?.boolValue }
}
