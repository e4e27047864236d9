import CSodium
import CloakroomCore

/// Hashes and verifies passwords on threads of its own, which yield to everything else, with a bounded queue.
///
/// Measured: the same work on the cooperative pool leaves the check path half a percent of its throughput.
package final class PasswordHasher: Sendable {
    package let cost: PasswordHashCost
    private let threads: HashingThreads
    /// What a login to an unknown account is verified against, so that it takes as long as any other.
    private let decoy: PasswordHash

    /// - Parameters:
    ///   - threads: how many hashes are computed at once; each takes `cost.memoryKiB`.
    ///   - queueLimit: how many may wait; beyond it the answer is `Denial.unavailable`.
    package init(cost: PasswordHashCost = PasswordHashCost(), threads count: Int, queueLimit: Int = 64) throws {
        precondition(sodium_init() >= 0, "libsodium cannot be initialised")
        self.cost = cost
        threads = HashingThreads(count: count, queueLimit: queueLimit)
        decoy = try Argon2id.hash(Secret(Array("decoy".utf8)), cost: cost)
    }

    deinit {
        threads.stop()
    }

    package enum Verdict: Hashable, Sendable {
        case wrong
        case right
        /// Right, and stored with parameters that are not today's: this is the hash to store instead.
        case rightAndRehashed(PasswordHash)
    }

    package func hash(_ password: Password) async throws -> PasswordHash {
        let cost = cost
        return try await threads.run { try Argon2id.hash(password.secret, cost: cost) }
    }

    /// Verifies against the account's hash, or for no account against the decoy, which never matches.
    package func verify(_ password: Password, against hash: PasswordHash?) async throws -> Verdict {
        let cost = cost
        let decoy = decoy
        return try await threads.run {
            guard Argon2id.verify(password.secret, against: hash ?? decoy), let hash else { return .wrong }
            guard Argon2id.cost(of: hash) != cost else { return .right }
            return .rightAndRehashed(try Argon2id.hash(password.secret, cost: cost))
        }
    }
}
