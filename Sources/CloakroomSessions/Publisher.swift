package import CloakroomCore
package import CloakroomStores
package import CloakroomTokens

/// The way from what a store has saved to the log and to this process's view of revocations. The feed brings revocations
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

    /// Announces and logs what belongs to the value, and returns it.
    @discardableResult
    package func publish<Value>(_ committed: Committed<Value>) -> Value {
        committed.publish { events, revoked in
            announce(revoked.map(\.session))
            log.write(events)
        }
    }

    /// Has this process refuse the sessions from now on.
    func announce(_ sessions: [SessionID]) {
        let uptime = environment.uptime()
        for session in sessions { view.insert(session, at: uptime) }
    }
}
