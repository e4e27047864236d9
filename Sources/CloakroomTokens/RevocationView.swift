package import CloakroomCore
import Synchronization

/// The revoked sessions whose access tokens may still be unexpired, and the subjects whose access tokens are stale. It
/// decides a request without a query to the store.
///
/// Keyed by `sid`, never by token: many strings verify as one token. Bounded by the access-token lifetime, counted on a
/// monotonic clock: a step of the wall clock must not bring an ended session back.
package final class RevocationView: Sendable {
    private struct State {
        /// The latest mark of each subject, and when it was added.
        var stale: [Subject: (mark: Instant, addedAt: Duration)] = [:]
        var confirmedAt: Duration?
        /// How far the wall clock was ahead of the monotonic one at the last confirmation.
        var offset = Duration.zero
        var prunedAt = Duration.zero
    }

    private let revoked = RevokedSessions()
    private let state = Mutex(State())
    private let memory: Duration
    private let staleAfter: Duration

    /// - Parameters:
    ///   - accessTokenLifetime: how long a revoked session must stay in the view.
    ///   - staleAfter: how old the proof that the view is current may be. A session that another process has ended works
    ///     here for that long at most.
    package init(accessTokenLifetime: Span, staleAfter: Duration = .seconds(1)) {
        memory = .milliseconds(accessTokenLifetime.milliseconds) + .seconds(60)
        self.staleAfter = staleAfter
    }

    /// Adds entries of the feed.
    /// - Parameter uptime: the time of a monotonic clock, as in all methods of this type.
    package func update(_ revoked: some Sequence<Revoked>, at uptime: Duration) {
        for entry in revoked { insert(entry.session, at: uptime) }
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

    /// Records that the view has every revocation that was committed before `uptime`.
    /// - Parameter now: the wall clock's time at that moment, to detect when it is set back later.
    package func confirm(at uptime: Duration, _ now: Instant) {
        let isDue = state.withLock { state in
            state.confirmedAt = max(state.confirmedAt ?? uptime, uptime)
            state.offset = Self.offset(uptime, now)
            guard uptime > state.prunedAt + .seconds(10) else { return false }
            state.prunedAt = uptime
            state.stale = state.stale.filter { $0.value.addedAt + memory > uptime }
            return true
        }
        if isDue { revoked.drop(before: uptime - memory) }
    }

    /// Adds a revocation of this process, before the feed has it.
    package func insert(_ session: SessionID, at uptime: Duration) {
        revoked.insert(session, at: uptime)
    }

    package func isRevoked(_ session: SessionID) -> Bool {
        revoked.contains(session)
    }

    /// The revoked sessions that were added at `uptime` or before and not again since, the latest first.
    package func revoked(upTo uptime: Duration) -> [SessionID] {
        revoked.arrived(upTo: uptime)
    }

    /// Whether the session is revoked: `unknown` if the latest proof that the view is current is older than `staleAfter`.
    ///
    /// If the wall clock is set back, expired tokens become valid again, and the view has dropped their sessions. The
    /// answer is then `unknown` until the feed has been read from its start.
    package func standing(of session: SessionID, at uptime: Duration, _ now: Instant) -> AccessQuestion.Standing {
        if revoked.contains(session) { return .revoked }
        return isCurrent(at: uptime, now) ? .good : .unknown
    }

    /// As above, and whether the claims of the subject have changed since the token was issued.
    package func standing(
        of identity: AccessQuestion.Identity, at uptime: Duration, _ now: Instant
    ) -> AccessQuestion.Standing {
        if revoked.contains(identity.session) { return .revoked }
        return state.withLock { state in
            if !state.stale.isEmpty, let (mark, _) = state.stale[identity.subject], identity.issuedAt <= mark {
                return .stale
            }
            return isCurrent(state, for: .zero, at: uptime, now) ? .good : .unknown
        }
    }

    /// Whether the latest proof that the view is current is at most `staleAfter` and `grace` old, and the wall clock was not
    /// set back since.
    package func isCurrent(for grace: Duration = .zero, at uptime: Duration, _ now: Instant) -> Bool {
        state.withLock { isCurrent($0, for: grace, at: uptime, now) }
    }

    private func isCurrent(
        _ state: borrowing State, for grace: Duration, at uptime: Duration, _ now: Instant
    ) -> Bool {
        guard let age = age(state, at: uptime, now) else { return false }
        return age <= staleAfter + grace
    }

    /// The age of the latest proof that the view is current; nil without one, or if the wall clock was set back since.
    package func age(at uptime: Duration, _ now: Instant) -> Duration? {
        state.withLock { age($0, at: uptime, now) }
    }

    private func age(_ state: borrowing State, at uptime: Duration, _ now: Instant) -> Duration? {
        guard let confirmedAt = state.confirmedAt, Self.offset(uptime, now) + Self.tolerance >= state.offset else {
            return nil
        }
        return uptime - confirmedAt
    }

    /// The wall-clock time of the latest proof that the view is current; nil without one.
    package var provenTime: Instant? {
        state.withLock { state in
            state.confirmedAt.map { confirmedAt in
                let (seconds, attoseconds) = (state.offset + confirmedAt).components
                return Instant(milliseconds: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
            }
        }
    }

    /// The indexes of the revoked sessions in each status list that has one. It walks through all of them.
    package func byStatusList() -> [StatusListID: [UInt16]] {
        revoked.byStatusList()
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

    /// The number of revoked sessions.
    package var count: Int { revoked.count }
}
