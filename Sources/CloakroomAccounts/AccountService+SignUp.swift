import CloakroomCore
package import CloakroomSessions
package import CloakroomStores
import CloakroomTokens

extension AccountService {
    /// Creates an account for a client that signs up.
    /// - Throws: `Denial.notFound` where sign-up is closed, `.invalidRequest` for a password that may not be chosen,
    ///   `.rateLimited`, `.accountExists`, `.unavailable`.
    package func signUp(_ email: EmailAddress, _ password: Password, from device: Device) async throws -> Proof {
        guard isSignUpOpen else { throw Denial.notFound }
        try checkChoice(password, for: email, field: "password")
        return proof(try await addWithinLimit(email, password, from: device))
    }

    private func addWithinLimit(
        _ email: EmailAddress, _ password: Password, from device: Device
    ) async throws -> Account {
        let receipts = try await chargeSignUp(from: device)
        do { return try await add(email, password: password, from: device) } catch {
            if error as? Denial != .accountExists {
                signUpLimit.giveBack(receipts.own, at: environment.uptime())
                await sharedAllowances.giveBack([receipts.shared])
            }
            throw error
        }
    }

    /// Charges one sign-up to the network, in this process and then in the store.
    private func chargeSignUp(
        from device: Device
    ) async throws -> (own: AllowanceSketch.Receipt, shared: AllowanceReceipt) {
        let own: AllowanceSketch.Receipt
        switch signUpLimit.take(device.network, at: environment.uptime()) {
        case .success(let receipt): own = receipt
        case .failure(let refusal): throw await refuse(refusal, .signUpRateLimited, nil, from: device)
        }
        let answer: SharedAllowances.Answer
        do {
            try hasher.checkRoom(for: .stranger)
            answer = try await sharedAllowances.charge([own])[0]
        } catch {
            signUpLimit.giveBack(own, at: environment.uptime())
            throw error
        }
        switch answer {
        case .success(let shared): return (own, shared)
        case .failure(let shortage):
            let refusal = signUpLimit.refuse(own, shortage, device.network, at: environment.uptime())
            throw await refuse(refusal, .signUpRateLimited, nil, from: device)
        }
    }

    /// Creates an account, without the sign-up limit.
    /// - Throws: `Denial.invalidRequest` for a password that may not be chosen, `.accountExists`.
    @discardableResult
    package func add(_ email: EmailAddress, password: Password, from device: Device? = nil) async throws -> Account {
        try checkChoice(password, for: email, field: "password")
        let hash = try await hasher.hash(password)
        let account = Account(
            subject: Subject("u_" + Base64URL.encode(environment.random(16))), email: email, passwordHash: hash,
            createdAt: now)
        let event = SecurityEvent(.signUp, at: now, subject: account.subject, address: device?.address)
        guard let added = try await store.add(account, recording: [event]) else { throw Denial.accountExists }
        publisher.publish(added)
        return account
    }

    func checkChoice(_ password: Password, for email: EmailAddress, field: String) throws(Denial) {
        if let objection = password.objection(for: email) { throw .invalidRequest(fields: [field: objection]) }
    }
}
