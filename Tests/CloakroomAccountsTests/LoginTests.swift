import CloakroomCore
import CloakroomStores
import CloakroomTesting
import CloakroomTokens
import Testing

@testable import CloakroomAccounts
@testable import CloakroomSessions

@Suite struct LoginTests {
    @Test("a correct password begins a session with a new id, and is recorded")
    func right() async throws {
        let world = try ServiceWorld()
        let first = try await world.signUp()
        let second = try await world.logIn(world.login())
        #expect(first.session.id != second.session.id)
        #expect(first.session.id.rawValue.utf8.count >= 22, "at least 128 bits")
        #expect(second.tokens != nil)
        #expect(try world.events(.signUp) == 1 && world.events(.login) == 2)
    }

    @Test("a wrong password, an unknown account and a disabled one get the same denial")
    func wrong() async throws {
        let world = try ServiceWorld()
        let grant = try await world.signUp()
        #expect(
            await denial { try await world.logIn(world.login(password: "something else")) }
                == .invalidCredentials)
        #expect(await denial { try await world.logIn(world.login("nobody")) } == .invalidCredentials)
        try await world.accounts.setDisabled(true, grant.session.subject)
        #expect(await denial { try await world.logIn(world.login()) } == .invalidCredentials)
        #expect(try world.events(.loginFailed) == 3)
        try await world.accounts.setDisabled(false, grant.session.subject)
        _ = try await world.logIn(world.login())
    }

    @Test("an address signs up once, and a refused password creates no account")
    func signUp() async throws {
        let world = try ServiceWorld()
        try await world.signUp()
        #expect(await denial { try await world.signUp() } == .accountExists)
        let refused = await denial { try await world.signUp(world.login("bob", password: "password1")) }
        #expect(refused == .invalidRequest(fields: ["password": "is too common: attackers try it first"]))
    }

    @Test("a login ends the session of the request's cookie, if its token is genuine")
    func replacing() async throws {
        let world = try ServiceWorld()
        let old = try await world.signUp()
        let grant = try await world.logIn(world.login(replacing: world.token(old)))
        #expect(try await world.store.session(old.session.id)?.revocation?.reason == .replaced)
        #expect(world.sessions.verifier.revocations.isRevoked(old.session.id))
        #expect(!world.sessions.verifier.revocations.isRevoked(grant.session.id))
    }

    @Test("tokens are delivered by the server's policy for the client")
    func clients() async throws {
        let clients = [
            Client(id: ClientID("spa"), delivery: .hybrid), Client(id: ClientID("app"), delivery: .body),
            Client(id: ClientID("old"), delivery: .body, insecureAllowBrowser: true),
        ]
        let world = try ServiceWorld(clients: clients)
        try await world.signUp()
        #expect(try await world.logIn(world.login(client: "spa")).tokens?.delivery == .hybrid)
        #expect(
            try await world.logIn(world.login(client: "app", isFromBrowser: false)).tokens?.delivery == .body)
        #expect(try await world.logIn(world.login(client: "old")).tokens?.delivery == .body)
        for name in ["app", "unknown"] {
            guard
                case .invalidRequest(let fields)? = await denial({
                    try await world.logIn(world.login(client: name))
                })
            else { return #expect(Bool(false)) }
            #expect(fields.keys.first == "client_id")
        }
    }

    @Test("a hash with other parameters is replaced at the next login")
    func rehash() async throws {
        let world = try ServiceWorld()
        let grant = try await world.signUp()
        let old = try await PasswordHasher(cost: PasswordHashCost(memoryKiB: 512, passes: 1), threads: 1)
            .hash(try #require(Password(ServiceWorld.password)))
        let account = try #require(try await world.store.account(grant.session.subject))
        try await world.store.rehash(account.subject, from: account.passwordHash, to: old)
        _ = try await world.logIn(world.login())
        let hash = try #require(try await world.store.account(grant.session.subject)).passwordHash
        #expect(hash != old && Argon2id.cost(of: hash) == PasswordHashCost(memoryKiB: 1024, passes: 1))
    }
}
