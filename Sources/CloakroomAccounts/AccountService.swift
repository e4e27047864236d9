import CloakroomCore
package import CloakroomSessions
package import CloakroomStores

/// The use cases of accounts: one method each, in a file of its own. Every way to log in ends in a `Proof`.
package struct AccountService: Sendable {
    package let isSignUpOpen: Bool
    let store: any AccountStore & SessionStore
    let sessions: SessionService
    let hasher: PasswordHasher
    let loginLimit: LoginRateLimit
    let signUpLimit: SignUpRateLimit
    let sharedAllowances: SharedAllowances
    let refusals = RefusalTally()

    /// - Parameters:
    ///   - failedLoginsPerMinute: per account and per network; nil for no limit.
    ///   - signUpsPerHour: per network; nil for no limit.
    package init(
        store: any AccountStore & SessionStore, sessions: SessionService, hasher: PasswordHasher,
        isSignUpOpen: Bool = false, failedLoginsPerMinute: Int? = 20, signUpsPerHour: Int? = 20
    ) {
        self.store = store
        self.sessions = sessions
        self.hasher = hasher
        self.isSignUpOpen = isSignUpOpen
        loginLimit = LoginRateLimit(perMinute: failedLoginsPerMinute)
        signUpLimit = SignUpRateLimit(perHour: signUpsPerHour)
        sharedAllowances = SharedAllowances(store.sharedAllowances)
    }

    var environment: Environment { sessions.environment }
    var publisher: Publisher { sessions.publisher }
    var now: Instant { environment.now() }

    func record(_ events: [SecurityEvent]) async throws {
        publisher.publish(try await store.record(events))
    }
}
