package import CloakroomCore
import CloakroomTokens
import Crypto

/// The key of a backend, `crk_<id>_<secret>`: the public id of its credential, and 256 random bits in base64url. The
/// prefix lets scanners find keys in repositories.
package struct ServiceKey: Sendable {
    package let id: CredentialID
    private let secret: Secret

    private static let prefix = "crk_"
    private static let lengthOfSecret = 43

    /// nil for anything but a well-formed key.
    init?(parsing text: String) {
        guard text.hasPrefix(Self.prefix), text.utf8.count <= 128 else { return nil }
        let rest = text.dropFirst(Self.prefix.count)
        let id = rest.prefix { $0 != "_" }
        let secret = Array(rest.dropFirst(id.count + 1).utf8)
        guard !id.isEmpty, secret.count == Self.lengthOfSecret, Base64URL.decode(secret) != nil else { return nil }
        self.id = CredentialID(String(id))
        self.secret = Secret(secret)
    }

    /// - Parameter random: returns random bytes.
    init(random: (Int) -> [UInt8]) {
        // Hexadecimal: base64url has the `_` that ends the id.
        id = CredentialID(random(6).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined())
        secret = Secret(Array(Base64URL.encode(random(32)).utf8))
    }

    /// The whole key. It is shown once.
    package var text: String {
        "\(Self.prefix)\(id)_\(String(decoding: secret.bytes, as: UTF8.self))"
    }

    /// The SHA-256 of the secret half as text, so that only one spelling of a key is right. A fast hash suffices: 256
    /// random bits cannot be guessed.
    var digest: [UInt8] { Array(SHA256.hash(data: secret.bytes)) }
}
