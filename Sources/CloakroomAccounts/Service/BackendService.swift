import CloakroomCore
package import CloakroomSessions
package import CloakroomStores

/// The use cases of backends that keep their own login, one method each: their keys, and what a key may prove.
package struct BackendService: Sendable {
    let store: any CredentialStore & SessionStore
    let sessions: SessionService
    let failedTries = AllowanceSketch(interval: .seconds(60), width: 1 << 10)
    let newSessions = NewSessionLimit()
    let uses = ServiceUses()

    package init(store: any CredentialStore & SessionStore, sessions: SessionService) {
        self.store = store
        self.sessions = sessions
    }

    var environment: Environment { sessions.environment }
    var publisher: Publisher { sessions.publisher }
    var now: Instant { environment.now() }
}
