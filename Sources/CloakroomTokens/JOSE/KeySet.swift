import CloakroomCore

/// The keys that may verify a token, by `kid` (RFC 7517 section 5).
package struct KeySet: Sendable {
    /// Why a set was refused. One bad key refuses the whole set, because an attacker may have altered it.
    package struct Refusal: Error, Hashable, Sendable {
        package let reason: String
    }

    package let keys: [VerificationKey]
    /// Keyed by the bytes of `kid`: String equality treats canonically equivalent spellings as the same.
    private let byID: [[UInt8]: VerificationKey]
    let headers = KnownHeaders()

    /// - Throws: `Refusal` if two keys share a `kid`, or if the set mixes secrets with public keys: algorithm
    ///   confusion.
    package init(_ keys: [VerificationKey]) throws(Refusal) {
        let named = keys.compactMap { key in key.id.map { (Array($0.utf8), key) } }
        byID = Dictionary(named) { first, _ in first }
        guard byID.count == named.count else { throw Refusal(reason: "two keys have the same kid") }
        guard Set(keys.map(\.isSymmetric)).count <= 1 else {
            throw Refusal(reason: "the set mixes secrets and public keys")
        }
        self.keys = keys
    }

    /// Reads a JWK Set document, or a single JWK.
    package init(parsing document: [UInt8]) throws(Refusal) {
        let root: JSONObject?
        do { root = try JSONReader.read(document).objectValue } catch { throw Refusal(reason: error.reason) }
        guard let root else { throw Refusal(reason: "not a JSON object") }
        guard let members = root["keys"] else {
            try self.init([Self.key(.object(root))])
            return
        }
        guard let members = members.arrayValue, !members.isEmpty, members.count <= 100 else {
            throw Refusal(reason: "keys is not an array of 1 to 100 keys")
        }
        var keys: [VerificationKey] = []
        for member in members { keys.append(try Self.key(member)) }
        try self.init(keys)
    }

    private static func key(_ value: JSONValue) throws(Refusal) -> VerificationKey {
        guard let jwk = value.objectValue else { throw Refusal(reason: "a key is not a JSON object") }
        do { return try JSONWebKey.verificationKey(jwk) } catch { throw Refusal(reason: error.reason) }
    }

    /// The one key that may verify a token. A token without `kid` fits only a set of one key without `kid`: there is no
    /// default key to fall back on.
    func key(for id: String?) -> VerificationKey? {
        guard let id else { return keys.count == 1 && keys[0].id == nil ? keys[0] : nil }
        return byID[Array(id.utf8)]
    }
}
