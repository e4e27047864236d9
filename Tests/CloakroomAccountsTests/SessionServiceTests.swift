import CloakroomCore
import CloakroomStores
import CloakroomTesting
import CloakroomTokens
import Logging
import Testing

@testable import CloakroomAccounts
@testable import CloakroomSessions

@Suite struct RefreshServiceTests {
    @Test("a renewal returns the next generation, and a later retry the same token")
    func renews() async throws {
        let world = try ServiceWorld()
        let token = try world.token(await world.signUp())
        let first = try await world.sessions.refresh(token, presenting: nil, from: .cookie)
        let atOnce = try await world.sessions.refresh(token, presenting: nil, from: .cookie)
        #expect(atOnce.tokens == nil, "the response is probably in flight")
        world.time.advance(.seconds(3))
        let retry = try await world.sessions.refresh(token, presenting: nil, from: .cookie)
        #expect(first.tokens != nil && first.tokens?.refresh == retry.tokens?.refresh)
        #expect(try world.events(.renewal) == 0, "a renewal saves no event, because there would be a row per token")
    }

    @Test("a straggler gets no token; a spent token ends the session at once, and this is recorded")
    func reuse() async throws {
        let world = try ServiceWorld()
        let grant = try await world.signUp()
        let old = try world.token(grant)
        let next = try world.token(await world.sessions.refresh(old, presenting: nil, from: .cookie))
        #expect(try await world.sessions.refresh(next, presenting: nil, from: .cookie).tokens == nil)
        #expect(try await world.sessions.refresh(old, presenting: grant.access, from: .cookie).tokens == nil)
        world.time.advance(.seconds(31))
        #expect(
            await denial { try await world.sessions.refresh(old, presenting: nil, from: .cookie) }
                == .refreshTokenReused
        )
        #expect(
            await denial { try await world.sessions.refresh(next, presenting: nil, from: .cookie) } == .sessionRevoked)
        #expect(try world.events(.reuse) == 1)
        #expect(world.sessions.verifier.revocations.isRevoked(grant.session.id))
    }

    @Test("inline, a straggler is served at its own generation without a token")
    func inlineStraggler() async throws {
        let world = try ServiceWorld()
        let grant = try await world.signUp()
        let old = try #require(grant.tokens).refresh
        let next = try world.token(await world.sessions.refresh(world.token(grant), presenting: nil, from: .cookie))
        _ = try await world.sessions.refresh(next, presenting: nil, from: .cookie)
        let cookie = Array(SessionTokens.join(access: nil, refresh: old).utf8)
        let half = try world.sessions.verifier.verify(cookie: cookie, at: world.time.now).refresh
        guard case .served(let served) = try await world.sessions.renew(half, at: .login) else {
            return #expect(Bool(false), "tokens were returned")
        }
        #expect(served.access.generation == 0 && served.renewableIn == .seconds(30))
    }

    @Test("a client gets tokens only by its configured delivery")
    func carriers() async throws {
        let world = try ServiceWorld(clients: [Client(id: ClientID("app"), delivery: .body)])
        let browser = try world.token(await world.signUp())
        let app = try world.token(await world.logIn(world.login(client: "app", isFromBrowser: false)))
        let body = SessionService.Carrier.body(isFromBrowser: false)
        #expect(
            await denial { try await world.sessions.refresh(browser, presenting: nil, from: body) } == .tokenInvalid)
        #expect(await denial { try await world.sessions.refresh(app, presenting: nil, from: .cookie) } == .tokenInvalid)
        let fromBrowser = SessionService.Carrier.body(isFromBrowser: true)
        #expect(
            await denial { try await world.sessions.refresh(app, presenting: nil, from: fromBrowser) } == .tokenInvalid)
        #expect(try await world.sessions.refresh(app, presenting: nil, from: body).tokens != nil)
    }

    @Test("a token of a deleted or expired session is denied as session_expired")
    func expired() async throws {
        let world = try ServiceWorld()
        let token = try world.token(await world.signUp())
        world.time.advance(.days(31))
        #expect(
            await denial { try await world.sessions.refresh(token, presenting: nil, from: .cookie) } == .sessionExpired)
        world.time.advance(.days(60))
        #expect(
            await denial { try await world.sessions.refresh(token, presenting: nil, from: .cookie) } == .sessionExpired)
        try await Sweeper(
            store: world.store, policy: SessionPolicy(), environment: world.time.environment, logger: Logger(label: "t")
        ).sweep()
        #expect(await denial { try await world.sessions.peek(token) } == .sessionExpired)
    }
}

@Suite struct StepUpServiceTests {
    @Test("a step-up by password gives a fresh auth_time and a new generation")
    func raises() async throws {
        let world = try ServiceWorld()
        let grant = try await world.signUp()
        world.time.advance(.minutes(3))
        let raised = try await world.stepUp(
            .refresh(world.token(grant)), password: try #require(Password(ServiceWorld.password)),
            from: ServiceWorld.device)
        #expect(raised.session.authentication.time == world.time.now)
        #expect(try raised.session.generation == 1 && world.events(.stepUp) == 1)
    }

    @Test("a client that presents only an access token can step up too")
    func byAccessToken() async throws {
        let world = try ServiceWorld()
        let access = try #require(await world.signUp().access)
        let password = try #require(Password(ServiceWorld.password))
        let raised = try await world.stepUp(.access(access), password: password, from: ServiceWorld.device)
        #expect(raised.session.generation == 1)
        #expect(try world.events.map(\.kind) == [.signUp, .login, .stepUp], "no row for a renewal")
        #expect(world.log.lines.contains { $0.hasPrefix("info step_up ") })
    }

    @Test(
        "a browser cannot step up a session whose tokens are delivered in a body",
        arguments: [true, false])
    func bodyDelivery(_ isFromBrowser: Bool) async throws {
        let world = try ServiceWorld(clients: [Client(id: ClientID("app"), delivery: .body)])
        try await world.signUp()
        let grant = try await world.logIn(world.login(client: "app", isFromBrowser: false))
        let access = try #require(grant.access)
        let password = try #require(Password(ServiceWorld.password))
        let refused = await denial {
            try await world.stepUp(
                .access(access, isFromBrowser: isFromBrowser), password: password, from: ServiceWorld.device)
        }
        #expect(refused == (isFromBrowser ? .tokenInvalid : nil))
    }

    @Test("a wrong password changes no level")
    func wrong() async throws {
        let world = try ServiceWorld()
        let grant = try await world.signUp()
        let wrong = try #require(Password("something else"))
        let refused = await denial {
            try await world.stepUp(.refresh(world.token(grant)), password: wrong, from: ServiceWorld.device)
        }
        #expect(try refused == .invalidCredentials && world.events(.stepUpFailed) == 1)
        #expect(try await world.store.session(grant.session.id)?.generation == 0)
    }

    @Test("a password change ends every other session and rotates this one, and only the new password logs in")
    func password() async throws {
        let world = try ServiceWorld()
        let other = try await world.signUp()
        let grant = try await world.logIn(world.login())
        let current = try #require(Password(ServiceWorld.password))
        let new = try #require(Password("another fine phrase"))
        let changed = try await world.accounts.changePassword(
            .refresh(world.token(grant)), from: current, to: new, device: ServiceWorld.device)
        #expect(changed.session.generation == 1)
        #expect(world.sessions.verifier.revocations.isRevoked(other.session.id))
        #expect(await denial { try await world.logIn(world.login()) } == .invalidCredentials)
        _ = try await world.logIn(world.login(password: "another fine phrase"))
    }

    @Test("a refused new password changes nothing")
    func badPassword() async throws {
        let world = try ServiceWorld()
        let grant = try await world.signUp()
        let current = try #require(Password(ServiceWorld.password))
        let refused = await denial {
            try await world.accounts.changePassword(
                .refresh(world.token(grant)), from: current, to: try #require(Password("short")),
                device: ServiceWorld.device)
        }
        #expect(refused == .invalidRequest(fields: ["new_password": "must be at least 8 characters long"]))
        _ = try await world.logIn(world.login())
    }
}

@Suite struct EndTests {
    @Test("a logout is durable, announced and recorded; a second one changes nothing")
    func logout() async throws {
        let world = try ServiceWorld()
        let grant = try await world.signUp()
        let token = try world.token(grant)
        _ = try await world.sessions.logout(.refresh(token))
        _ = try await world.sessions.logout(.refresh(token))
        #expect(try await world.store.session(grant.session.id)?.revocation?.reason == .logout)
        #expect(world.sessions.verifier.revocations.isRevoked(grant.session.id))
        #expect(try world.events(.revocation) == 1)
    }

    @Test("a user can end a session of their own, but not another user's or an ended one")
    func end() async throws {
        let world = try ServiceWorld()
        let ann = try await world.signUp()
        let bob = try await world.signUp("bob")
        #expect(await denial { try await world.sessions.end(ann.session.id, of: bob.session.subject) } == .notFound)
        try await world.sessions.end(ann.session.id, of: ann.session.subject)
        #expect(await denial { try await world.sessions.end(ann.session.id, of: ann.session.subject) } == .notFound)
        #expect(try await world.livingSessions(of: ann).isEmpty)
        #expect(try await world.livingSessions(of: bob).count == 1)
    }

    @Test("ending all other sessions keeps this one")
    func others() async throws {
        let world = try ServiceWorld()
        try await world.signUp()
        let grant = try await world.logIn(world.login())
        try await world.sessions.endOthers(of: try #require(grant.access))
        #expect(try await world.livingSessions(of: grant).map(\.id) == [grant.session.id])
    }

    @Test("seen access tokens are reported to the store in batches, each generation once")
    func sightings() async throws {
        let world = try ServiceWorld()
        let grant = try await world.signUp()
        let next = try await world.sessions.refresh(world.token(grant), presenting: nil, from: .cookie)
        let queue = SightingQueue(
            store: world.store, policy: SessionPolicy(), environment: world.time.environment, logger: Logger(label: "t")
        )
        queue.saw(try #require(next.tokens).access)
        queue.saw(try #require(next.tokens).access)
        await queue.flush()
        let confirmed = Session.Confirmation.confirmed(windowOpenedAt: world.time.now)
        #expect(try await world.store.session(grant.session.id)?.confirmation == confirmed)
        world.time.advance(.minutes(2))
        queue.saw(try #require(next.tokens).access)
        await queue.flush()
        #expect(try await world.store.session(grant.session.id)?.lastSeenAt == world.time.now)
    }
}

@Suite struct SecurityEventTests {
    @Test("no log line or event contains a secret")
    func noSecrets() async throws {
        let world = try ServiceWorld()
        let grant = try await world.signUp()
        let old = try world.token(grant)
        let next = try await world.sessions.refresh(old, presenting: nil, from: .cookie)
        _ = try await world.sessions.refresh(world.token(next), presenting: nil, from: .cookie)
        _ = await denial { try await world.logIn(world.login(password: "my secret guess")) }
        world.time.advance(.minutes(1))
        _ = await denial { try await world.sessions.refresh(old, presenting: nil, from: .cookie) }
        let secrets =
            [ServiceWorld.password, "my secret guess", "ann@example.com"]
            + [grant, next].compactMap(\.tokens).flatMap { tokens in
                [tokens.access.token, tokens.refresh].map { String(decoding: $0.bytes, as: UTF8.self) }
            }
        let text = try (world.log.lines + world.events.map { "\($0)" }).joined(separator: "\n")
        #expect(world.log.lines.count >= 5)
        for secret in secrets { #expect(!text.contains(secret)) }
        #expect(!"\(grant)".contains(secrets[3]), "also when a whole grant is printed")
    }
}
