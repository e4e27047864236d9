package import CloakroomCore
package import CloakroomTokens

/// What a person hands in to log in.
package struct Login: Sendable {
    package var email: EmailAddress
    package var password: Password
    package var remember: Bool
    package var client: ClientID?
    package var device: SessionService.Device
    /// Whether the request shows signs of a browser (`Origin`, Fetch Metadata).
    package var isFromBrowser: Bool
    /// The session that came along in the cookie: it would be orphaned, so it is ended.
    package var replacing: RefreshToken?

    package init(
        email: EmailAddress, password: Password, remember: Bool = false, client: ClientID? = nil,
        device: SessionService.Device, isFromBrowser: Bool = true, replacing: RefreshToken? = nil
    ) {
        self.email = email
        self.password = password
        self.remember = remember
        self.client = client
        self.device = device
        self.isFromBrowser = isFromBrowser
        self.replacing = replacing
    }
}

extension SessionService {
    /// Checks the password and begins a new session, always with a new id (CVE-2023-29019).
    /// - Throws: `Denial.invalidCredentials` for a wrong password, an unknown and a disabled account alike, in the same
    ///   time; `.rateLimited`; `.invalidRequest` for a client that may not; `.unavailable`.
    package func login(_ login: Login) async throws -> SessionGrant {
        let client = try client(for: login)
        let replaced = try await genuineSession(login.replacing)
        let user = try await authenticate(
            login.email, login.password, from: login.device, holding: replaced, failure: .loginFailed)
        guard let user, let grant = try await beginUnlessChanged(user, login, client: client, replacing: replaced)
        else {
            throw Denial.invalidCredentials
        }
        return grant
    }

    func begin(_ user: User, _ login: Login, client: Client) async throws -> SessionGrant {
        let replaced = try await genuineSession(login.replacing)
        guard let grant = try await beginUnlessChanged(user, login, client: client, replacing: replaced) else {
            throw Denial.invalidCredentials
        }
        return grant
    }

    func client(for login: Login) throws(Denial) -> Client {
        guard let client = clients[login.client ?? .browser] else {
            throw .invalidRequest(fields: ["client_id": "is not a client of this server"])
        }
        guard client.delivery != .body || client.allowsBody(toBrowser: login.isFromBrowser) else {
            throw .invalidRequest(fields: ["client_id": "is served tokens in the body, which a browser is not"])
        }
        return client
    }

    /// A name that begins with a letter: `cloakroom sessions revoke` would take a hyphen for an option's, and with `-h` print
    /// its help and end nothing. Costs one bit of so many.
    static func sessionID(_ random: [UInt8]) -> SessionID {
        SessionID(Base64URL.encode([random[0] & 0x7F] + random.dropFirst()))
    }

    private func beginUnlessChanged(
        _ user: User, _ login: Login, client: Client, replacing replaced: Session?
    ) async throws -> SessionGrant? {
        let now = now
        let session = Session(
            id: Self.sessionID(environment.random(18)), subject: user.subject, client: client.id,
            secret: Secret(environment.random(32)), refreshKey: refreshKeyID, remembered: login.remember,
            userAgent: login.device.userAgent, address: login.device.address, authentication: .password(at: now),
            at: now, under: policy)
        let events = [
            SecurityEvent(
                .login, at: now, subject: user.subject, session: session.id, address: login.device.address)
        ]
        let hasBegun = try await store.begin(
            session, credentialVersion: user.credentialVersion, replacing: replaced?.id, recording: events)
        guard hasBegun else { return nil }
        if let replaced { announce([Revoked(session: replaced.id, time: now)]) }
        log.write(events)
        let tokens = try issue(session, at: now)
        return SessionGrant(user: user, session: session, access: tokens.access, renewal: .renewed(tokens))
    }

    private func genuineSession(_ token: RefreshToken?) async throws -> Session? {
        guard let token, let session = try await store.session(token.session),
            token.isGenuine(for: session, under: issuer.keys.current)
        else { return nil }
        return session
    }

    /// - Parameter session: a session that the requester has been seen to hold.
    /// - Returns: the account when the password is right and the account may log in.
    func authenticate(
        _ email: EmailAddress, _ password: Password, from device: Device, holding session: Session?,
        failure: SecurityEvent.Kind
    ) async throws -> User? {
        let user = try await store.user(email)
        let charged = try await charge(email, user, from: device, holding: session)
        let verdict: PasswordHasher.Verdict
        do {
            verdict = try await hasher.verify(password, against: user?.passwordHash)
        } catch {
            charged.forEach(limit.giveBack)
            throw error
        }
        guard let user, verdict != .wrong, !user.isDisabled else {
            try await record([SecurityEvent(failure, at: now, subject: user?.subject, address: device.address)])
            return nil
        }
        charged.forEach(limit.giveBack)
        if case .rightAndRehashed(let hash) = verdict {
            try await store.rehash(user.subject, from: user.passwordHash, to: hash)
        }
        return user
    }

    /// Takes a try from everything that it counts against.
    /// - Throws: `Denial.rateLimited`, with nothing taken.
    private func charge(
        _ email: EmailAddress, _ user: User?, from device: Device, holding session: Session?
    ) async throws -> [LoginRateLimit.Account] {
        do {
            if let session, session.subject == user?.subject { return try charge(.session(session.id)) }
            let network = try charge(.network(device.network))
            do {
                return try await network + chargeAccount(email, user, from: device.network)
            } catch {
                network.forEach(limit.giveBack)
                throw error
            }
        } catch let denial as Denial {
            log.write([SecurityEvent(.loginRateLimited, at: now, subject: user?.subject, address: device.address)])
            throw denial
        }
    }

    /// The account's own allowance, or when strangers have used that up, the one of the owner's network. The look-up is
    /// made for unknown accounts too: it must not tell them from others by the time it takes.
    private func chargeAccount(
        _ email: EmailAddress, _ user: User?, from network: NetworkAddress
    ) async throws -> [LoginRateLimit.Account] {
        do {
            return try charge(.email(email))
        } catch {
            let subject = user?.subject ?? Subject("")
            let sessions = try await store.sessions(.ofSubject(subject, except: nil), limit: Self.rememberedSessions)
            guard sessions.contains(where: { NetworkAddress(of: $0.address) == network }) else { throw error }
            return try charge(.emailFromKnownNetwork(email, network))
        }
    }

    private static let rememberedSessions = 50

    private func charge(_ account: LoginRateLimit.Account) throws(Denial) -> [LoginRateLimit.Account] {
        try limit.take(account, at: now)
        return [account]
    }

    func record(_ events: [SecurityEvent]) async throws {
        try await store.record(events)
        log.write(events)
    }
}
