import CloakroomCore
import CloakroomTokens

extension SessionService {
    /// Makes an account and logs it in.
    /// - Throws: `Denial.notFound` where sign-up is closed, `.invalidRequest` for a password that may not be chosen,
    ///   `.rateLimited`, `.accountExists`, `.unavailable`.
    package func signUp(_ login: Login) async throws -> SessionGrant {
        guard isSignUpOpen else { throw Denial.notFound }
        let client = try client(for: login)
        try checkChoice(login.password, for: login.email, field: "password")
        let user = try await addWithinLimit(login)
        return try await begin(user, login, client: client)
    }

    private func addWithinLimit(_ login: Login) async throws -> User {
        switch signUpLimit.take(login.device.network, at: environment.uptime()) {
        case .failure(let refusal):
            throw await refuse(refusal, .signUpRateLimited, nil, from: login.device)
        case .success(let receipt):
            do { return try await add(login.email, password: login.password, from: login.device) } catch {
                if error as? Denial != .accountExists { signUpLimit.giveBack(receipt, at: environment.uptime()) }
                throw error
            }
        }
    }

    /// Makes an account.
    /// - Throws: `Denial.invalidRequest` for a password that may not be chosen, `.accountExists`.
    @discardableResult
    package func add(_ email: EmailAddress, password: Password, from device: Device? = nil) async throws -> User {
        try checkChoice(password, for: email, field: "password")
        let hash = try await hasher.hash(password)
        let user = User(
            subject: Subject("u_" + Base64URL.encode(environment.random(16))), email: email, passwordHash: hash,
            createdAt: now)
        let events = [SecurityEvent(.signUp, at: now, subject: user.subject, address: device?.address)]
        guard try await store.add(user, recording: events) else { throw Denial.accountExists }
        log.write(events)
        return user
    }

    func checkChoice(_ password: Password, for email: EmailAddress, field: String) throws(Denial) {
        if let objection = password.objection(for: email) { throw .invalidRequest(fields: [field: objection]) }
    }
}
