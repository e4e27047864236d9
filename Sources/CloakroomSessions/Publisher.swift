package import CloakroomCore
package import CloakroomStores
package import CloakroomTokens

/// Passes committed events to the log, and committed revocations to this process's view. The feed carries revocations
/// to the other processes and to the readers of the stream.
package struct Publisher: Sendable {
    package let log: SecurityLog
    private let view: RevocationView
    private let signal: FeedSignal
    private let environment: Environment

    /// - Parameter signal: raised after each revocation.
    package init(
        log: SecurityLog, view: RevocationView, signal: FeedSignal = FeedSignal(), environment: Environment
    ) {
        self.log = log
        self.view = view
        self.signal = signal
        self.environment = environment
    }

    /// Announces the revocations and logs the events of a commit, and returns its value.
    @discardableResult
    package func publish<Value>(_ committed: Committed<Value>) -> Value {
        committed.publish { events, revoked in
            announce(revoked.map(\.session))
            log.write(events)
        }
    }

    /// Makes access tokens stale in this process, before the feed does.
    func announce(_ mark: StaleMark) {
        view.update(stale: [mark], at: environment.uptime())
        signal.raise()
    }

    /// Makes this process refuse the sessions from now on.
    func announce(_ sessions: [SessionID]) {
        let uptime = environment.uptime()
        for session in sessions { view.insert(session, at: uptime) }
        if !sessions.isEmpty { signal.raise() }
    }
}
