package import CloakroomCore
import CloakroomStores
import CloakroomTokens
import Crypto
import Foundation

/// A secret of the operator, 32 bytes, under which the keys in a store are sealed.
package struct MasterSecret: Hashable, Sendable {
    /// Names the secret in seals and messages. It is derived from the secret, and does not reveal it.
    package let id: String
    private let secret: Secret

    private static let idLength = 8

    /// - Returns: nil for bytes of another length.
    package init?(_ secret: Secret) {
        guard secret.bytes.count == 32 else { return nil }
        self.secret = secret
        id = Base64URL.encode(Self.derive(secret, "cloakroom master secret id", Self.idLength))
    }

    package static func generate(random: (Int) -> [UInt8]) -> MasterSecret? {
        MasterSecret(Secret(random(32)))
    }

    /// The secret in base64url.
    package var text: String { Base64URL.encode(secret.bytes) }

    /// The key of the seals. The secret itself encrypts nothing, so that another use of it has another key.
    fileprivate var sealingKey: SymmetricKey {
        SymmetricKey(data: Self.derive(secret, "cloakroom sealed keys", 32))
    }

    private static func derive(_ secret: Secret, _ purpose: String, _ count: Int) -> [UInt8] {
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret.bytes), info: Array(purpose.utf8), outputByteCount: count)
        return key.withUnsafeBytes { Array($0) }
    }
}

/// The master secrets that an instance knows: the first seals, and all of them open. There are several while the secret
/// is being changed.
package struct MasterSecrets: Hashable, Sendable {
    package let all: [MasterSecret]

    /// - Parameter text: one or more secrets in base64url, separated by white space or commas.
    package init?(parsing text: String) {
        let words = text.split { $0.isWhitespace || $0 == "," }
        let secrets = words.compactMap { Base64URL.decode(String($0)).flatMap { MasterSecret(Secret($0)) } }
        guard !secrets.isEmpty, secrets.count == words.count else { return nil }
        all = secrets
    }

    package var text: String { all.map(\.text).joined(separator: ",") }

    var first: MasterSecret { all[0] }
}

/// A sealed key: version, id of the master secret, nonce, ciphertext, tag. AES-256-GCM with a random nonce; all but
/// the nonce, the ciphertext and the tag, and the identity of the row, are authenticated data.
struct SealedKey {
    /// Why a seal cannot be opened.
    enum Fault: Error, Hashable {
        /// It is sealed under a master secret that is not among those of the instance.
        case otherSecret(id: String)
        /// It is not of this row, or was changed.
        case altered
        /// A newer build made it.
        case version(UInt8)
    }

    private static let version: UInt8 = 1
    private static let headLength = 9

    static func seal(_ key: Secret, of identity: KeyIdentity, under secret: MasterSecret) throws -> [UInt8] {
        let head = [version] + (Base64URL.decode(secret.id) ?? [])
        let box = try AES.GCM.seal(
            key.bytes, using: secret.sealingKey, authenticating: head + identity.authenticatedBytes)
        return head + Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
    }

    /// The id of the master secret that opens the seal; nil for bytes that are no seal of this version.
    static func secretID(of sealed: [UInt8]) -> String? {
        guard sealed.first == version, sealed.count > headLength else { return nil }
        return Base64URL.encode(sealed[1..<headLength])
    }

    static func open(
        _ sealed: [UInt8], of identity: KeyIdentity, with secrets: MasterSecrets
    ) throws(Fault) -> Secret {
        guard let id = secretID(of: sealed) else {
            throw sealed.first.map { $0 == version ? .altered : .version($0) } ?? .altered
        }
        guard let secret = secrets.all.first(where: { $0.id == id }) else { throw .otherSecret(id: id) }
        do {
            let box = try AES.GCM.SealedBox(combined: sealed.dropFirst(headLength))
            let head = Array(sealed.prefix(headLength))
            return Secret(
                Array(
                    try AES.GCM.open(
                        box, using: secret.sealingKey, authenticating: head + identity.authenticatedBytes)))
        } catch {
            throw .altered
        }
    }
}

extension KeyIdentity {
    /// Each part with its length, so that no two identities have the same bytes.
    var authenticatedBytes: [UInt8] {
        let parts = [
            "cloakroom key 1", kind.rawValue, algorithm, id, period.map { "\($0)" } ?? "", "\(createdAt.milliseconds)",
            "\(signsFrom.milliseconds)",
        ]
        return parts.flatMap { part in
            withUnsafeBytes(of: UInt32(part.utf8.count).bigEndian) { Array($0) } + Array(part.utf8)
        }
    }
}
