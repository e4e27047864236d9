import CloakroomCore
import CloakroomTesting
import CloakroomTokens
import GRDB
import Synchronization
import Testing

@testable import CloakroomAccounts
@testable import CloakroomSessions
@testable import CloakroomStores

/// The use cases that raise a session, some of which change a credential: each is one decision in one transaction. A
/// failure changes nothing, and records exactly the events of the failure.
@Suite struct CredentialChangeTests {
    enum UseCase: String, CaseIterable, Sendable {
        case stepUp
        case changePassword
    }

    /// The fault of a request, from its start or from a moment between the check of the password and the decision.
    enum Fault: String, CaseIterable, Sendable {
        case wrongPassword, spent, spentWithWrongPassword, revoked, expired, forged, unknownSession
        case revokedMeanwhile, renewedTwiceMeanwhile, disabledMeanwhile, passwordSetMeanwhile, passwordChangedMeanwhile

        /// The denial, and the events that it records besides those of concurrent requests.
        var outcome: (code: String, events: [SecurityEvent.Kind]) {
            switch self {
            case .wrongPassword: ("invalid_credentials", [.stepUpFailed])
            case .spent, .spentWithWrongPassword: ("refresh_token_reused", [.reuse])
            case .revoked, .revokedMeanwhile: ("session_revoked", [])
            case .expired, .unknownSession: ("session_expired", [])
            case .forged: ("token_invalid", [])
            case .renewedTwiceMeanwhile: ("unavailable", [])
            case .disabledMeanwhile, .passwordSetMeanwhile, .passwordChangedMeanwhile: ("invalid_credentials", [])
            }
        }

        /// The effect of a password change or a disabled account on all sessions.
        var endsOthers: Bool {
            [.disabledMeanwhile, .passwordSetMeanwhile, .passwordChangedMeanwhile].contains(self)
        }
    }

    private struct Fixture {
        let world: ServiceWorld
        let gate: Gate
        let other: SessionGrant
        let grant: SessionGrant

        init(_ kind: StoreKind) async throws {
            let gate = Gate()
            self.gate = gate
            world = try ServiceWorld(kind, wrap: { InterruptedStore($0, gate) })
            other = try await world.signUp()
            grant = try await world.logIn(world.login())
        }

        func perform(_ useCase: UseCase, _ token: RefreshToken, password: String = ServiceWorld.password) async throws {
            let password = try #require(Password(password))
            let device = ServiceWorld.device
            switch useCase {
            case .stepUp: _ = try await world.stepUp(.refresh(token), password: password, from: device)
            case .changePassword:
                _ = try await world.accounts.changePassword(
                    .refresh(token), from: password, to: try #require(Password("another fine phrase")), device: device)
            }
        }

        /// Renews until the token is spent beyond its window.
        func spend(_ token: RefreshToken) async throws {
            let next = try await renew(token)
            _ = try await world.sessions.refresh(next, presenting: nil, from: .cookie)
            world.time.advance(.minutes(1))
        }

        func renew(_ token: RefreshToken) async throws -> RefreshToken {
            try world.token(await world.sessions.refresh(token, presenting: nil, from: .cookie))
        }

        /// A token that the server's keys sign, of a session or with a secret that the store does not have.
        func forged(_ id: SessionID) throws -> RefreshToken {
            let session = grant.session
            let twin = Session(
                id: id, subject: session.subject, secret: Secret([1]), refreshKey: session.refreshKey,
                details: Session.Details(
                    client: session.client, remembered: false, userAgent: "",
                    address: "", evidence: session.evidence),
                at: session.createdAt, under: world.sessions.policy)
            return try world.sessions.read(
                refreshToken: world.sessions.issuer.refreshToken(for: twin).bytes, at: .login)
        }

        /// Causes the fault.
        /// - Returns: the token to present.
        func cause(_ fault: Fault) async throws -> RefreshToken {
            let token = try world.token(grant)
            let (world, subject) = (world, grant.session.subject)
            switch fault {
            case .wrongPassword: break
            case .spent, .spentWithWrongPassword: try await spend(token)
            case .revoked: _ = try await world.sessions.logout(.refresh(token))
            case .expired: world.time.advance(.days(31))
            case .forged: return try forged(grant.session.id)
            case .unknownSession: return try forged(SessionID("unknown"))
            case .revokedMeanwhile: gate.interrupt { _ = try await world.sessions.logout(.refresh(token)) }
            case .renewedTwiceMeanwhile:
                gate.interrupt { _ = try await world.sessions.refresh(renew(token), presenting: nil, from: .cookie) }
            case .disabledMeanwhile: gate.interrupt { try await world.accounts.setDisabled(true, subject) }
            case .passwordSetMeanwhile:
                let current = try await world.store.account(subject)
                gate.interrupt {
                    try await world.accounts.setPassword(
                        try #require(Password("set by the operator")), for: try #require(current))
                }
            case .passwordChangedMeanwhile:
                let (old, device) = (try #require(Password(ServiceWorld.password)), ServiceWorld.device)
                gate.interrupt {
                    _ = try await world.accounts.changePassword(
                        .refresh(token), from: old, to: try #require(Password("changed by the owner")), device: device)
                }
            }
            return token
        }
    }

    @Test(
        "a failed step-up or password change changes no password or level, and records one event",
        arguments: UseCase.allCases, Fault.allCases)
    func faults(_ useCase: UseCase, _ fault: Fault) async throws {
        for kind in StoreKind.allCases {
            let fixture = try await Fixture(kind)
            let (world, id) = (fixture.world, fixture.grant.session.id)
            let token = try await fixture.cause(fault)
            let state = Mutex<(user: Account?, session: Session?, events: Int)>((nil, nil, 0))
            let look = { @Sendable in
                let user = try await world.store.account(fixture.grant.session.subject)
                let session = try await world.store.session(id)
                let events = try world.events.count
                state.withLock { $0 = (user, session, events) }
            }
            try await look()
            fixture.gate.afterInterruption(look)
            let password = "\(fault)".lowercased().contains("wrongpassword") ? "a wrong guess" : ServiceWorld.password
            let denial = await denial { try await fixture.perform(useCase, token, password: password) }
            let expected = fault.outcome
            let before = state.withLock { $0 }
            #expect(denial?.code == expected.code, "\(kind)")
            #expect(try world.events.dropFirst(before.events).map(\.kind) == expected.events, "\(kind)")
            #expect(try await world.store.account(fixture.grant.session.subject) == before.user, "\(kind)")
            var session = before.session
            if expected.events == [.reuse] { session?.revoke(.refreshTokenReused, at: world.time.now) }
            #expect(try await world.store.session(id) == session, "\(kind)")
            let isOtherAlive = try await world.store.session(fixture.other.session.id)?.revocation == nil
            #expect(isOtherAlive == !fault.endsOthers, "\(kind)")
        }
    }

    @Test(
        "a successful one records one event, and the revocations of the other sessions", arguments: StoreKind.allCases)
    func successes(_ kind: StoreKind) async throws {
        for useCase in UseCase.allCases {
            let fixture = try await Fixture(kind)
            let before = try fixture.world.events.count
            try await fixture.perform(useCase, fixture.world.token(fixture.grant))
            let kinds = try fixture.world.events.dropFirst(before).map(\.kind)
            #expect(kinds == (useCase == .stepUp ? [.stepUp] : [.passwordChange, .revocation]))
            #expect(try await fixture.world.store.session(fixture.grant.session.id)?.generation == 1)
        }
    }

    @Test(
        "an event that cannot be saved rolls its change back",
        arguments: [
            SecurityEvent.Kind.stepUp, .passwordChange, .reuse, .revocation, .accountDisabled, .login, .signUp,
        ])
    func oneTransaction(_ kind: SecurityEvent.Kind) async throws {
        let fixture = try await Fixture(.sqlite)
        let (world, grant) = (fixture.world, fixture.grant)
        let token = try world.token(grant)
        if kind == .reuse { try await fixture.spend(token) }
        let user = try await world.store.account(grant.session.subject)
        let session = try await world.store.session(grant.session.id)
        try await DatabaseQueue(path: try #require(world.file)).write { database in
            try database.execute(
                sql: """
                    CREATE TRIGGER refuse BEFORE INSERT ON events WHEN NEW.kind = '\(kind.rawValue)'
                    BEGIN SELECT RAISE(ABORT, 'refused'); END
                    """)
        }
        await #expect(throws: DatabaseError.self) {
            switch kind {
            case .stepUp, .reuse: try await fixture.perform(.stepUp, token)
            case .passwordChange: try await fixture.perform(.changePassword, token)
            case .revocation: try await fixture.perform(.changePassword, token)
            case .accountDisabled: try await world.accounts.setDisabled(true, grant.session.subject)
            case .login: _ = try await world.logIn(world.login(replacing: token))
            default: try await world.signUp("bob")
            }
        }
        #expect(try await world.store.account(grant.session.subject) == user)
        #expect(try await world.store.session(grant.session.id) == session)
        #expect(try await world.store.session(fixture.other.session.id)?.revocation == nil)
        #expect(try await world.store.accounts().count == 1)
        #expect(try await world.store.revocations(after: nil).revoked.isEmpty)
    }
}

/// Runs some work once, between the check of a password and the decision that follows.
private final class Gate: Sendable {
    typealias Work = @Sendable () async throws -> Void

    private let state = Mutex<(work: Work?, after: Work?)>((nil, nil))

    func interrupt(_ work: @escaping Work) {
        state.withLock { $0.work = work }
    }

    func afterInterruption(_ work: @escaping Work) {
        state.withLock { $0.after = work }
    }

    func pass() async throws {
        let work = state.withLock { state in
            defer { state.work = nil }
            return state.work
        }
        guard let work else { return }
        try await work()
        try await state.withLock { $0.after }?()
    }
}

/// Runs the gate's work before the decisions of a step-up and of a change of the password.
private final class InterruptedStore: StoreWrapper {
    let inner: any Store
    private let gate: Gate

    init(_ inner: any Store, _ gate: Gate) {
        self.gate = gate
        self.inner = inner
    }

    func update<Value: Sendable>(
        _ id: SessionID, checking credentialVersion: Int?, _ decide: @Sendable (inout Session) -> Decided<Value>
    ) async throws -> Committed<Value>? {
        try await gate.pass()
        return try await inner.update(id, checking: credentialVersion, decide)
    }

    func changePassword<Value: Sendable>(
        _ change: PasswordChange, by session: SessionID,
        _ decide: @Sendable (inout Session) -> (decided: Decided<Value>, agrees: Bool)
    ) async throws -> Committed<Value>? {
        try await gate.pass()
        return try await inner.changePassword(change, by: session, decide)
    }
}
