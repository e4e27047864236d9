import CSodium
import CloakroomCore
package import CloakroomStores
import Synchronization

/// Hashes and verifies passwords on threads of its own, which yield to everything else, with a bounded queue.
///
/// Measured: the same work on the cooperative pool leaves the check path half a percent of its throughput.
package final class PasswordHasher: Sendable {
    package let cost: PasswordHashCost
    private let threads: HashingThreads
    /// What a login to an unknown account is verified against, so that it takes as long as any other.
    private let decoy: PasswordHash
    /// How long a verification takes, smoothed.
    private let pace: Mutex<Duration>

    /// - Parameters:
    ///   - threads: how many hashes are computed at once; each takes `cost.memoryKiB`.
    ///   - queueLimit: how many of each priority may wait; beyond it the answer is `Denial.unavailable`.
    package init(cost: PasswordHashCost = PasswordHashCost(), threads count: Int, queueLimit: Int = 64) throws {
        precondition(sodium_init() >= 0, "libsodium cannot be initialised")
        self.cost = cost
        threads = HashingThreads(count: count, queueLimit: queueLimit)
        let start = ContinuousClock.now
        decoy = try Argon2id.hash(Secret(Array("decoy".utf8)), cost: cost)
        pace = Mutex(start.duration(to: .now))
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

    package func hash(_ password: Password, for priority: HashingPriority = .stranger) async throws -> PasswordHash {
        let cost = cost
        return try await threads.run(for: priority) { try Argon2id.hash(password.secret, cost: cost) }
    }

    /// Verifies against the account's hash, or for no account against the decoy, which never matches.
    package func verify(
        _ password: Password, against hash: PasswordHash?, for priority: HashingPriority = .stranger
    ) async throws -> Verdict {
        let cost = cost
        let decoy = decoy
        return try await threads.run(for: priority) { [weak self] in
            let start = ContinuousClock.now
            let isRight = Argon2id.verify(password.secret, against: hash ?? decoy)
            self?.note(start.duration(to: .now))
            guard isRight, let hash else { return .wrong }
            guard Argon2id.cost(of: hash) != cost else { return .right }
            return .rightAndRehashed(try Argon2id.hash(password.secret, cost: cost))
        }
    }

    /// Waits for as long as a verification takes, without the work: an answer that comes sooner than that of a password
    /// that was looked at would tell the two apart.
    func waitAsForVerification() async {
        try? await Task.sleep(for: pace.withLock { $0 })
    }

    private func note(_ duration: Duration) {
        pace.withLock { $0 = ($0 * 7 + duration) / 8 }
    }
}
