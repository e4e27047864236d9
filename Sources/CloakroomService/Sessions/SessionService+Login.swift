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
            login.email, login.password, from: login.device, holding: replaced.flatMap { held($0, login.replacing) },
            failure: .loginFailed)
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
        let start = SessionStart(
            session, credentialVersion: user.credentialVersion, replacing: replaced?.id,
            maximumSessions: maximumSessions, policy: policy)
        guard let ends = try await store.begin(start, recording: events) else { return nil }
        announce(ends.compactMap { end in end.session.map { Revoked(session: $0, time: now) } })
        log.write(events + ends)
        let tokens = try issue(session, at: now)
        return SessionGrant(user: user, session: session, access: tokens.access, renewal: .renewed(tokens))
    }

    private func genuineSession(_ token: RefreshToken?) async throws -> Session? {
        guard let token, let session = try await store.session(token.session),
            token.isGenuine(for: session, under: issuer.keys.current)
        else { return nil }
        return session
    }

    /// The session, if the token shows that the requester holds it now. The cookie of an ended session, or a token that
    /// is spent, earns no tries of its own.
    private func held(_ session: Session, _ token: RefreshToken?) -> Session? {
        guard let token, session.generation - token.presented.generation <= 1 else { return nil }
        return (try? session.checkAlive(at: now, under: policy)).map { session }
    }

    /// - Parameter session: a living session that the requester has been seen to hold.
    /// - Returns: the account when the password is right and the account may log in.
    func authenticate(
        _ email: EmailAddress, _ password: Password, from device: Device, holding session: Session?,
        failure: SecurityEvent.Kind
    ) async throws -> User? {
        let (user, familiarity) = try await store.user(email, from: device.network)
        let admission = try await admit(
            LoginRateLimit.Requester(
                email: email, network: device.network, familiarity: familiarity,
                session: session.flatMap { $0.subject == user?.subject ? $0.id : nil }),
            user, from: device)
        let verdict: PasswordHasher.Verdict
        do {
            verdict = try await hasher.verify(
                password, against: user?.passwordHash, for: admission.isKnownRequester ? .known : .stranger)
        } catch {
            loginLimit.giveBack(admission, at: environment.uptime())
            throw error
        }
        guard let user, verdict != .wrong, !user.isDisabled else {
            if let refusal = admission.refusal {
                throw await refuse(refusal, .loginRateLimited, user?.subject, from: device)
            }
            try await record([SecurityEvent(failure, at: now, subject: user?.subject, address: device.address)])
            return nil
        }
        loginLimit.giveBack(admission, at: environment.uptime())
        if case .rightAndRehashed(let hash) = verdict {
            try await store.rehash(user.subject, from: user.passwordHash, to: hash)
        }
        return user
    }

    /// Takes a try from everything that it counts against.
    ///
    /// - Throws: `Denial.rateLimited`, with nothing taken.
    private func admit(
        _ requester: LoginRateLimit.Requester, _ user: User?, from device: Device
    ) async throws -> LoginRateLimit.Admission {
        switch loginLimit.admit(requester, at: environment.uptime()) {
        case .admitted(let admission): return admission
        case .refused(let refusal, let looksVerified):
            if looksVerified { await hasher.waitAsForVerification() }
            throw await refuse(refusal, .loginRateLimited, user?.subject, from: device)
        }
    }

    func record(_ events: [SecurityEvent]) async throws {
        try await store.record(events)
        log.write(events)
    }
}
