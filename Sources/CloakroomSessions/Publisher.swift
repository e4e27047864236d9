package import CloakroomCore
package import CloakroomStores
package import CloakroomTokens

/// Passes committed events to the log, and committed revocations to this process's view. The feed carries revocations
/// to the other processes.
package struct Publisher: Sendable {
    package let log: SecurityLog
    private let view: RevocationView
    private let environment: Environment

    package init(log: SecurityLog, view: RevocationView, environment: Environment) {
        self.log = log
        self.view = view
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
    }

    /// Makes this process refuse the sessions from now on.
    func announce(_ sessions: [SessionID]) {
        let uptime = environment.uptime()
        for session in sessions { view.insert(session, at: uptime) }
    }
}
