import CSodium
import CloakroomCore
package import CloakroomStores
import Synchronization

/// Hashes and verifies passwords on its own low-priority threads, with bounded queues.
///
/// Measured: the same work on the cooperative pool leaves the check path half a percent of its throughput.
package final class PasswordHasher: Sendable {
    package let cost: PasswordHashCost
    private let threads: HashingThreads
    /// The hash for logins to unknown accounts, so that they take as long as logins to existing ones.
    private let decoy: PasswordHash
    /// The moving average of the time that a verification takes.
    private let pace: Mutex<Duration>

    /// Creates the threads, and computes one hash to measure the pace.
    /// - Parameters:
    ///   - threads: the number of hashes that are computed at once; each takes `cost.memoryKiB`.
    ///   - queueLimit: the largest number of waiting hashes of each priority; beyond it calls throw
    ///     `Denial.unavailable`.
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
        /// The password is right, but its stored hash has other parameters than `cost`. The caller stores this hash
        /// instead.
        case rightAndRehashed(PasswordHash)
    }

    package func hash(_ password: Password, for priority: HashingPriority = .stranger) async throws -> PasswordHash {
        let cost = cost
        return try await threads.run(for: priority) { try Argon2id.hash(password.secret, cost: cost) }
    }

    /// Verifies a password against the account's hash. For nil (no account) it hashes against the decoy, which never
    /// matches.
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

    /// - Throws: `Denial.unavailable` when the queue is full, as `hash` and `verify` do.
    func checkRoom(for priority: HashingPriority) throws(Denial) {
        guard threads.hasRoom(for: priority) else { throw HashingThreads.full }
    }

    /// Waits as long as a verification takes, without its work. A faster response would show that the password was
    /// not checked.
    func waitAsForVerification() async {
        try? await Task.sleep(for: pace.withLock { $0 })
    }

    private func note(_ duration: Duration) {
        pace.withLock { $0 = ($0 * 7 + duration) / 8 }
    }
}
