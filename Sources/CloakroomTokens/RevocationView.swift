public import CloakroomCore
import Synchronization

/// A session that was ended, as the feed tells it.
public struct Revoked: Hashable, Sendable {
    /// Which session.
    public let session: SessionID
    /// When the revocation was saved.
    public let time: Instant

    /// A session and when it was ended.
    public init(session: SessionID, time: Instant) {
        self.session = session
        self.time = time
    }
}

/// The sessions that were ended while access tokens of theirs may still be alive: what makes "signed, and unexpired"
/// not the last word, without a look-up per request.
///
/// Keyed by `sid`, never by token: many strings verify as one token. Bounded by the access-token lifetime.
package final class RevocationView: Sendable {
    private struct State {
        var revoked: [SessionID: Instant] = [:]
        var confirmedAt: Instant?
        var prunedAt = Instant(milliseconds: 0)
    }

    private let state = Mutex(State())
    private let memory: Span
    private let staleAfter: Span

    /// - Parameters:
    ///   - accessTokenLifetime: how long a revoked session must be remembered.
    ///   - staleAfter: how old the last word of the feed may be before nothing is trusted without asking.
    package init(accessTokenLifetime: Span, staleAfter: Span = .seconds(5)) {
        memory = accessTokenLifetime + .seconds(60)
        self.staleAfter = staleAfter
    }

    /// Takes in what the feed has brought.
    package func update(_ revoked: some Sequence<Revoked>) {
        state.withLock { state in
            for entry in revoked { state.revoked[entry.session] = entry.time }
        }
    }

    /// Takes note that the feed has brought everything up to `now`.
    package func confirm(at now: Instant) {
        state.withLock { state in
            state.confirmedAt = max(state.confirmedAt ?? now, now)
            prune(&state, at: now)
        }
    }

    /// Takes in a revocation of this very process at once.
    package func insert(_ session: SessionID, at now: Instant) {
        state.withLock { $0.revoked[session] = now }
    }

    package func isRevoked(_ session: SessionID) -> Bool {
        state.withLock { $0.revoked[session] != nil }
    }

    /// Whether the feed has been silent for so long that the view may have missed a revocation.
    package func isStale(at now: Instant) -> Bool {
        state.withLock { state in state.confirmedAt.map { now > $0 + staleAfter || $0 > now + staleAfter } ?? true }
    }

    package var count: Int {
        state.withLock { $0.revoked.count }
    }

    private func prune(_ state: inout State, at now: Instant) {
        guard now > state.prunedAt + .seconds(10) else { return }
        state.prunedAt = now
        state.revoked = state.revoked.filter { $0.value + memory > now }
    }
}

extension Span {
    static func + (one: Self, other: Self) -> Self {
        Span(milliseconds: one.milliseconds + other.milliseconds)
    }
}
