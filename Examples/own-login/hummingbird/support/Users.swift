import Crypto
import CryptoExtras
import Foundation

/// The body of a login.
package struct Login: Decodable {
    package let email: String
    package let password: String
}

/// A user of the app, which has passwords of its own.
package struct User: Sendable {
    package let id: String
    package let roles: [String]
    private let hash: SymmetricKey

    private static let salt = SymmetricKey(size: .bits128).withUnsafeBytes { Array($0) }
    private static let all = [
        "ann@example.com": try? User(id: "42", roles: ["editor"], password: "correct horse battery")
    ]

    private init(id: String, roles: [String], password: String) throws {
        (self.id, self.roles, hash) = (id, roles, try Self.hash(password))
    }

    private static func hash(_ password: String) throws -> SymmetricKey {
        try KDF.Scrypt.deriveKey(
            from: Array(password.utf8), salt: salt, outputByteCount: 32, rounds: 16384, blockSize: 8, parallelism: 1)
    }

    /// The user with this address and password.
    package static func find(_ login: Login) throws -> User? {
        guard let user = all[login.email] ?? nil, try hash(login.password) == user.hash else { return nil }
        return user
    }
}
