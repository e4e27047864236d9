import CloakroomCore
import CloakroomSessions
import CloakroomStores
import CloakroomTesting
import CloakroomTokens
import Testing

@testable import CloakroomAccounts

/// Keys of backends, what they prove, and the limits on them.
@Suite struct BackendServiceTests {
    private static let all = ServiceCredential.Rights(scopes: Set(ServiceScope.allCases), maximumLevel: .multiFactor)

    private func service(_ world: ServiceWorld) -> BackendService {
        BackendService(store: world.store, sessions: world.sessions)
    }

    @Test("a key opens its own credential, and no other spelling of it does", arguments: StoreKind.allCases)
    func key(_ kind: StoreKind) async throws {
        let world = try ServiceWorld(kind)
        let backends = service(world)
        let (credential, key) = try await backends.addCredential(Self.all, lifetime: .days(90))
        #expect(credential.expiresAt == world.time.now + .days(90))
        #expect(try await backends.authenticate(key.text, from: nil) { _ in false } == credential)
        let secret = key.text.suffix(43)
        let wrong = [
            nil, "", "crk_", "crk__\(secret)", "crk_\(key.id)", "crk_\(key.id)_", "crk_\(key.id)_\(secret)=",
            "crk_\(key.id)_\(secret.dropLast())", "CRK_\(key.id)_\(secret)", "crk_000000000000_\(secret)",
            " \(key.text)",
            "crk_\(key.id)_\(String(repeating: "A", count: 43))",
            key.text.replacing(key.id.rawValue, with: "\(key.id)0"),
        ]
        for text in wrong {
            await #expect(throws: Denial.serviceKeyInvalid, "\(text ?? "nil")") {
                try await backends.authenticate(text, from: "192.0.2.\(wrong.firstIndex(of: text) ?? 0)") { _ in true }
            }
        }
    }

    @Test("a key is refused from its expiry on, from another network, and once it is removed")
    func refused() async throws {
        let world = try ServiceWorld()
        let backends = service(world)
        var rights = Self.all
        rights.network = "10.0.0.0/8"
        let (credential, key) = try await backends.addCredential(rights, lifetime: .minutes(1))
        func tryKey(_ isWithin: Bool) async -> Bool {
            (try? await backends.authenticate(key.text, from: "10.0.0.1") { $0 == "10.0.0.0/8" && isWithin }) != nil
        }
        #expect(await tryKey(true))
        #expect(!(await tryKey(false)))
        world.time.advance(.minutes(1))
        #expect(!(await tryKey(true)))
        #expect(try await !backends.isValid(credential))
        world.time.advance(Span(milliseconds: -60_000))
        #expect(await tryKey(true))
        try await backends.removeCredential(credential.id)
        #expect(!(await tryKey(true)))
        await #expect(throws: Denial.notFound) { try await backends.removeCredential(credential.id) }
    }

    @Test("failed tries of one network are limited, and neither a right key nor another network pays for them")
    func limit() async throws {
        let world = try ServiceWorld()
        let backends = service(world)
        let key = try await backends.addCredential(Self.all, lifetime: nil).key
        func fail(_ address: String) async -> Denial? {
            do {
                _ = try await backends.authenticate("wrong", from: address) { _ in true }
                return nil
            } catch { return error as? Denial }
        }
        for _ in 0..<20 { #expect(await fail("192.0.2.1") == .serviceKeyInvalid) }
        guard case .rateLimited = await fail("192.0.2.1") else { return #expect(Bool(false), "the limit") }
        #expect(try await backends.authenticate(key.text, from: "192.0.2.1") { _ in true }.id == key.id)
        #expect(await fail("198.51.100.1") == .serviceKeyInvalid)
        world.time.advance(.minutes(1))
        #expect(await fail("192.0.2.1") == .serviceKeyInvalid)
        #expect(try world.events.filter { $0.kind == .serviceKeyRefused }.count == 22)
    }

    @Test("a backend proves its own subjects, up to the level of its key, and never an account")
    func prove() async throws {
        let world = try ServiceWorld()
        let backends = service(world)
        var rights = Self.all
        rights.subjectPrefix = "shop:"
        let credential = try await backends.addCredential(rights, lifetime: nil).credential
        let password = BackendAuthentication(methods: ["pwd"], level: .singleFactor)
        let proof = try backends.prove(Subject("shop:1"), password, by: credential)
        #expect(proof.credential == credential.id && proof.credentialVersion == nil && proof.login == nil)
        #expect(proof.evidence.authentication.methods == ["pwd"])
        for subject in ["blog:1", "shop", "u_1", ""] {
            #expect(throws: Denial.serviceScope) { try backends.prove(Subject(subject), password, by: credential) }
        }
        let passkey = BackendAuthentication(methods: ["hwk"], level: .phishingResistant)
        #expect(throws: Denial.serviceScope) { try backends.prove(Subject("shop:1"), passkey, by: credential) }
    }

    @Test("a subject gets twenty new sessions in any minute")
    func newSessions() throws {
        let limit = NewSessionLimit()
        let (ann, bob) = (Subject("ann"), Subject("bob"))
        for second in 0..<20 { try limit.take(ann, at: .seconds(second)) }
        #expect(throws: Denial.rateLimited(retryAfter: .seconds(41))) { try limit.take(ann, at: .seconds(19.5)) }
        try limit.take(bob, at: .seconds(19))
        try limit.take(ann, at: .seconds(60))
        #expect(throws: Denial.self) { try limit.take(ann, at: .seconds(60)) }
        try limit.take(ann, at: .seconds(61))
    }

    @Test("a poll is recorded once a minute for each credential and operation, a change each time")
    func uses() async throws {
        let world = try ServiceWorld()
        let backends = service(world)
        let one = try await backends.addCredential(Self.all, lifetime: nil).credential
        let other = try await backends.addCredential(Self.all, lifetime: nil).credential
        for _ in 0..<3 {
            for credential in [one, other] {
                for operation in ["listEvents", "streamRevocations"] {
                    try await backends.recordUse(of: operation, credential, isRead: true)
                }
            }
        }
        try await backends.recordUse(of: "endSubjectSessions", one, subject: Subject("1"), isRead: false)
        try await backends.recordUse(of: "endSubjectSessions", one, subject: Subject("1"), isRead: false)
        #expect(try world.events.filter { $0.kind == .serviceCall }.count == 6)
        world.time.advance(.minutes(1))
        try await backends.recordUse(of: "listEvents", one, isRead: true)
        #expect(try world.events.filter { $0.kind == .serviceCall }.count == 7)
    }

    @Test(
        "a session of a backend has its claims and its evidence, and a step-up adds to them",
        arguments: StoreKind.allCases)
    func session(_ kind: StoreKind) async throws {
        let world = try ServiceWorld(kind)
        let backends = service(world)
        let credential = try await backends.addCredential(Self.all, lifetime: nil).credential
        var request = try world.sessions.request(device: ServiceWorld.device)
        request.claims = Claims(["roles": .string("editor")])
        let first = try backends.prove(
            Subject("42"), BackendAuthentication(methods: ["pwd"], level: .singleFactor), by: credential)
        let grant = try await backends.begin(first, request)
        #expect(grant.session.claims == request.claims)
        world.time.advance(.minutes(10))
        let again = try backends.prove(
            Subject("42"), BackendAuthentication(methods: ["otp"], level: .multiFactor), by: credential)
        let token = try world.sessions.read(refreshToken: #require(grant.tokens).refresh.bytes, at: .login)
        let raised = try await world.sessions.stepUp(.refresh(token), with: again)
        #expect(raised.authentication.methods == ["pwd", "otp"] && raised.authentication.level == .multiFactor)
        #expect(raised.authentication.time == again.evidence.authentication.time)
        let used = try world.events.filter { $0.details.credential == credential.id }.map(\.kind)
        #expect(used == [.credentialAdded, .login, .stepUp])
    }

    @Test("a blocked subject gets no session, and the denial says so")
    func blocked() async throws {
        let world = try ServiceWorld()
        let backends = service(world)
        let credential = try await backends.addCredential(Self.all, lifetime: nil).credential
        let proof = try backends.prove(
            Subject("42"), BackendAuthentication(methods: ["pwd"], level: .singleFactor), by: credential)
        let request = try world.sessions.request(device: ServiceWorld.device)
        let grant = try await backends.begin(proof, request)
        try await world.sessions.setBlocked(true, Subject("42"), by: credential.id)
        #expect(world.sessions.verifier.revocations.isRevoked(grant.session.id))
        await #expect(throws: Denial.subjectBlocked) { try await backends.begin(proof, request) }
    }
}
