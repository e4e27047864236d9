import CloakroomCore
import Synchronization

/// Counts failed tries per minute, per account and per network.
///
/// A try is paid for before the password is looked at, and paid back when it was right: a hundred guesses sent at once
/// get no more looks than the same guesses sent in turn.
final class LoginRateLimit: Sendable {
    /// What a try is charged to.
    enum Account: Hashable {
        case network(NetworkAddress)
        case email(EmailAddress)
        /// The account as seen from a network where its owner has logged in before: strangers who use up the account's
        /// own allowance must not lock the owner out.
        case emailFromKnownNetwork(EmailAddress, NetworkAddress)
        /// The account as seen by somebody who holds a session of it: neither strangers elsewhere nor neighbours in the
        /// same network can use up this one.
        case session(SessionID)
    }

    private struct Allowance {
        var tries: Double
        var at: Instant
    }

    private let perMinute: Double?
    private let capacity: Int
    private let allowances = Mutex<[Account: Allowance]>([:])

    /// - Parameters:
    ///   - perMinute: nil for no limit.
    ///   - capacity: how many accounts are counted at most.
    init(perMinute: Int?, capacity: Int = 100_000) {
        self.perMinute = perMinute.map(Double.init)
        self.capacity = capacity
    }

    /// Takes one try from the account.
    /// - Throws: `Denial.rateLimited` with the time until there is one again.
    func take(_ account: Account, at now: Instant) throws(Denial) {
        guard let perMinute else { return }
        let missing: Double? = allowances.withLock { allowances in
            makeRoom(in: &allowances, at: now)
            var allowance = refilled(allowances[account], at: now, perMinute: perMinute)
            guard allowance.tries >= 1 else { return 1 - allowance.tries }
            allowance.tries -= 1
            allowances[account] = allowance
            return nil
        }
        guard let missing else { return }
        throw .rateLimited(retryAfter: .seconds(Int64((missing * 60 / perMinute).rounded(.up))))
    }

    func giveBack(_ account: Account) {
        guard let perMinute else { return }
        allowances.withLock { allowances in
            guard let allowance = allowances[account] else { return }
            allowances[account]?.tries = min(perMinute, allowance.tries + 1)
        }
    }

    private func refilled(_ allowance: Allowance?, at now: Instant, perMinute: Double) -> Allowance {
        guard let allowance else { return Allowance(tries: perMinute, at: now) }
        let minutes = Double(max(0, (now - allowance.at).milliseconds)) / 60_000
        return Allowance(tries: min(perMinute, allowance.tries + minutes * perMinute), at: now)
    }

    /// An entry older than a minute is full again: it says nothing. When a flood of names fills the table within a
    /// minute, all is forgotten rather than grown. A tenth becomes free at least: whoever keeps the table just short of
    /// full would else have all of it looked through with every try.
    private func makeRoom(in allowances: inout [Account: Allowance], at now: Instant) {
        guard allowances.count >= capacity else { return }
        allowances = allowances.filter { now - $0.value.at < .minutes(1) }
        if allowances.count >= capacity - capacity / 10 { allowances.removeAll() }
    }
}
