package import CloakroomCore
import Synchronization

/// The sessions that were ended while access tokens of theirs may still be unexpired. A request is refused by it without a
/// look-up in the store.
///
/// Keyed by `sid`, never by token: many strings verify as one token. Bounded by the access-token lifetime, counted on a
/// monotonic clock: a step of the wall clock must not bring an ended session back.
package final class RevocationView: Sendable {
    private struct State {
        /// When each was added, on the monotonic clock.
        var revoked: [SessionID: Duration] = [:]
        var confirmedAt: Duration?
        /// How far the wall clock was ahead of the monotonic one at the last confirmation.
        var offset = Duration.zero
        var prunedAt = Duration.zero
    }

    private let state = Mutex(State())
    private let memory: Duration
    private let staleAfter: Duration

    /// - Parameters:
    ///   - accessTokenLifetime: how long a revoked session must be remembered.
    ///   - staleAfter: how long ago the feed may have been read.
    package init(accessTokenLifetime: Span, staleAfter: Duration = .seconds(5)) {
        memory = .milliseconds(accessTokenLifetime.milliseconds) + .seconds(60)
        self.staleAfter = staleAfter
    }

    /// Adds entries of the feed.
    /// - Parameter uptime: of a monotonic clock, as everywhere here.
    package func update(_ revoked: some Sequence<Revoked>, at uptime: Duration) {
        state.withLock { state in
            for entry in revoked { state.revoked[entry.session] = uptime }
        }
    }

    /// Records that the feed was read up to `uptime`.
    /// - Parameter now: the wall clock's time at that moment, by which a later step back is seen.
    package func confirm(at uptime: Duration, _ now: Instant) {
        state.withLock { state in
            state.confirmedAt = max(state.confirmedAt ?? uptime, uptime)
            state.offset = Self.offset(uptime, now)
            prune(&state, at: uptime)
        }
    }

    /// Adds a revocation of this process, before the feed has it.
    package func insert(_ session: SessionID, at uptime: Duration) {
        state.withLock { $0.revoked[session] = uptime }
    }

    package func isRevoked(_ session: SessionID) -> Bool {
        state.withLock { $0.revoked[session] != nil }
    }

    /// What a decision about this session may rest on: `unknown` when the feed has not been read for `staleAfter`.
    ///
    /// A wall clock that was set back revives tokens of sessions that the view has forgotten. The standing is then unknown
    /// until the feed has been read from its beginning.
    package func standing(of session: SessionID, at uptime: Duration, _ now: Instant) -> AccessQuestion.Standing {
        state.withLock { state in
            if state.revoked[session] != nil { return .revoked }
            guard let confirmedAt = state.confirmedAt, uptime <= confirmedAt + staleAfter,
                Self.offset(uptime, now) + Self.tolerance >= state.offset
            else { return .unknown }
            return .good
        }
    }

    /// Whether the wall clock was set back since the feed was last read.
    package func isSetBack(at uptime: Duration, _ now: Instant) -> Bool {
        state.withLock { $0.confirmedAt != nil && Self.offset(uptime, now) + Self.tolerance < $0.offset }
    }

    /// How far the two clocks may drift apart between two confirmations.
    private static let tolerance = Duration.seconds(1)

    private static func offset(_ uptime: Duration, _ now: Instant) -> Duration {
        .milliseconds(now.milliseconds) - uptime
    }

    package var count: Int {
        state.withLock { $0.revoked.count }
    }

    private func prune(_ state: inout State, at uptime: Duration) {
        guard uptime > state.prunedAt + .seconds(10) else { return }
        state.prunedAt = uptime
        state.revoked = state.revoked.filter { $0.value + memory > uptime }
    }
}
