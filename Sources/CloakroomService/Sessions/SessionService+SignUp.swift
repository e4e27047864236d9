import CloakroomCore
import CloakroomTokens

extension SessionService {
    /// Makes an account and logs it in.
    /// - Throws: `Denial.notFound` where sign-up is closed, `.invalidRequest` for a password that may not be chosen,
    ///   `.accountExists`.
    package func signUp(_ login: Login) async throws -> SessionGrant {
        guard isSignUpOpen else { throw Denial.notFound }
        let client = try client(for: login)
        let user = try await add(login.email, password: login.password, from: login.device)
        return try await begin(user, login, client: client)
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
