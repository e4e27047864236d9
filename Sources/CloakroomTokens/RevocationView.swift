package import CloakroomCore
import Synchronization

/// The revoked sessions whose access tokens may still be unexpired, and the subjects whose access tokens are stale. It
/// decides a request without a query to the store.
///
/// Keyed by `sid`, never by token: many strings verify as one token. Bounded by the access-token lifetime, counted on a
/// monotonic clock: a step of the wall clock must not bring an ended session back.
package final class RevocationView: Sendable {
    private struct State {
        /// When each entry was added, on the monotonic clock.
        var revoked: [SessionID: Duration] = [:]
        /// The latest mark of each subject, and when it was added.
        var stale: [Subject: (mark: Instant, addedAt: Duration)] = [:]
        var confirmedAt: Duration?
        /// How far the wall clock was ahead of the monotonic one at the last confirmation.
        var offset = Duration.zero
        var prunedAt = Duration.zero
    }

    private let state = Mutex(State())
    private let memory: Duration
    private let staleAfter: Duration

    /// - Parameters:
    ///   - accessTokenLifetime: how long a revoked session must stay in the view.
    ///   - staleAfter: the maximum time since the feed was last read.
    package init(accessTokenLifetime: Span, staleAfter: Duration = .seconds(5)) {
        memory = .milliseconds(accessTokenLifetime.milliseconds) + .seconds(60)
        self.staleAfter = staleAfter
    }

    /// Adds entries of the feed.
    /// - Parameter uptime: the time of a monotonic clock, as in all methods of this type.
    package func update(_ revoked: some Sequence<Revoked>, at uptime: Duration) {
        state.withLock { state in
            for entry in revoked { state.revoked[entry.session] = uptime }
        }
    }

    /// Adds marks of the feed, or of this process before the feed has them.
    package func update(stale marks: some Sequence<StaleMark>, at uptime: Duration) {
        state.withLock { state in
            for mark in marks {
                let latest = max(mark.time, state.stale[mark.subject]?.mark ?? mark.time)
                state.stale[mark.subject] = (latest, uptime)
            }
        }
    }

    /// Records that the feed was read up to `uptime`.
    /// - Parameter now: the wall clock's time at that moment, to detect when it is set back later.
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

    /// Whether the session is revoked: `unknown` if the feed has not been read for `staleAfter`.
    ///
    /// If the wall clock is set back, expired tokens become valid again, and the view has dropped their sessions. The
    /// answer is then `unknown` until the feed has been read from its start.
    package func standing(of session: SessionID, at uptime: Duration, _ now: Instant) -> AccessQuestion.Standing {
        state.withLock { standing(of: session, $0, at: uptime, now) }
    }

    /// As above, and whether the claims of the subject have changed since the token was issued.
    package func standing(
        of identity: AccessQuestion.Identity, at uptime: Duration, _ now: Instant
    ) -> AccessQuestion.Standing {
        state.withLock { state in
            let standing = standing(of: identity.session, state, at: uptime, now)
            guard standing != .revoked, !state.stale.isEmpty, let (mark, _) = state.stale[identity.subject],
                identity.issuedAt <= mark
            else { return standing }
            return .stale
        }
    }

    private func standing(
        of session: SessionID, _ state: borrowing State, at uptime: Duration, _ now: Instant
    ) -> AccessQuestion.Standing {
        if state.revoked[session] != nil { return .revoked }
        guard let confirmedAt = state.confirmedAt, uptime <= confirmedAt + staleAfter,
            Self.offset(uptime, now) + Self.tolerance >= state.offset
        else { return .unknown }
        return .good
    }

    /// Whether the wall clock was set back since the feed was last read.
    package func isSetBack(at uptime: Duration, _ now: Instant) -> Bool {
        state.withLock { $0.confirmedAt != nil && Self.offset(uptime, now) + Self.tolerance < $0.offset }
    }

    /// The maximum drift between the two clocks from one confirmation to the next.
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
        state.stale = state.stale.filter { $0.value.addedAt + memory > uptime }
    }
}
