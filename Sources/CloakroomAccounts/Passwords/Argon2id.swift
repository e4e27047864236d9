import CSodium
import CloakroomCore
import CloakroomStores

/// The cost of a hash. The default is OWASP's first choice: m = 19 MiB, t = 2, p = 1.
package struct PasswordHashCost: Hashable, Sendable {
    package var memoryKiB: Int
    package var passes: Int

    package init(memoryKiB: Int = 19456, passes: Int = 2) {
        self.memoryKiB = memoryKiB
        self.passes = passes
    }

    /// The largest stored parameters that are accepted. Larger ones are refused before any memory is allocated: a
    /// planted row must not take the server down.
    static let ceiling = Self(memoryKiB: 1 << 18, passes: 16)
}

/// The Argon2id computation, which takes 20 to 30 ms of one core. Only the hashing threads may call it.
enum Argon2id {
    enum Failure: Error {
        case outOfMemory
    }

    static func hash(_ password: Secret, cost: PasswordHashCost) throws -> PasswordHash {
        var output = [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES))
        let status = crypto_pwhash_str_alg(
            &output, characters(password), UInt64(password.bytes.count), UInt64(cost.passes), cost.memoryKiB * 1024,
            crypto_pwhash_ALG_ARGON2ID13)
        guard status == 0 else { throw Failure.outOfMemory }
        return PasswordHash(phc: text(output))
    }

    static func verify(_ password: Secret, against hash: PasswordHash) -> Bool {
        guard let cost = cost(of: hash), cost.memoryKiB <= PasswordHashCost.ceiling.memoryKiB,
            cost.passes <= PasswordHashCost.ceiling.passes
        else { return false }
        return crypto_pwhash_str_verify(
            characters(hash.phc), characters(password), UInt64(password.bytes.count)) == 0
    }

    /// The parameters of a PHC string: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`.
    static func cost(of hash: PasswordHash) -> PasswordHashCost? {
        let fields = String(decoding: hash.phc.bytes, as: UTF8.self).split(separator: "$")
        guard fields.count == 5, fields[0] == "argon2id", hash.phc.bytes.count < Int(crypto_pwhash_STRBYTES) else {
            return nil
        }
        let numbers = fields[2].split(separator: ",").map { Int($0.dropFirst(2)) }
        guard numbers.count == 3, let memory = numbers[0], let passes = numbers[1], memory > 0, passes > 0 else {
            return nil
        }
        return PasswordHashCost(memoryKiB: memory, passes: passes)
    }

    /// The bytes as a C string: signed and zero-terminated. A zero byte inside a password does not truncate it,
    /// because the call passes the length.
    private static func characters(_ secret: Secret) -> [CChar] {
        secret.bytes.map { CChar(bitPattern: $0) } + [0]
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
