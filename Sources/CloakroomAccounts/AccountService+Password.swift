package import CloakroomCore
package import CloakroomSessions
package import CloakroomStores

extension AccountService {
    /// Changes the password, ends every other session of the subject, and raises this one to a new generation, in one
    /// step: a spent refresh token changes no password.
    /// - Throws: `Denial.invalidCredentials` for a wrong current password, `.invalidRequest` for a new one that may not
    ///   be chosen, `.loginHostOnly` for a session that was handed over, and what `SessionService.stepUp` throws.
    package func changePassword(
        _ presented: SessionService.Presented, from current: Password, to new: Password, device: Device
    ) async throws -> SessionGrant {
        guard try await sessions.session(presented).parent == nil else { throw Denial.loginHostOnly }
        let account = try await owner(of: presented, password: current, from: device)
        try checkChoice(new, for: account.email, field: "new_password")
        let hash = try await hasher.hash(new, for: .known)
        let (proof, now) = (proof(account), now)
        let change = PasswordChange(
            subject: account.subject, credentialVersion: account.credentialVersion, hash: hash, time: now)
        let changed = try await store.changePassword(change, by: presented.session) { session in
            let decided = sessions.raise(&session, presented, with: proof, recording: .passwordChange, at: now)
            return (decided, decided.value.answer.handsOutTokens)
        }
        // A concurrent change came first: the account now has that password, not this one.
        guard let changed else { throw Denial.invalidCredentials }
        return try await sessions.grant(changed)
    }

    /// Sets a password without the old one, and ends every session of the account. For operators.
    package func setPassword(_ new: Password, for account: Account) async throws {
        try checkChoice(new, for: account.email, field: "password")
        let change = PasswordChange(
            subject: account.subject, credentialVersion: account.credentialVersion, hash: try await hasher.hash(new),
            time: now)
        let event = SecurityEvent(.passwordChange, at: now, subject: account.subject)
        guard let changed = try await store.setPassword(change, recording: [event]) else {
            throw Denial.invalidCredentials
        }
        publisher.publish(changed)
    }

    /// Disables an account, which ends its sessions, or enables it again.
    /// - Throws: `Denial.notFound` when there is no such account.
    package func setDisabled(_ isDisabled: Bool, _ subject: Subject) async throws {
        let event = SecurityEvent(isDisabled ? .accountDisabled : .accountEnabled, at: now, subject: subject)
        let changed = try await store.setDisabled(isDisabled, subject, recording: [event], at: now)
        guard let changed else { throw Denial.notFound }
        publisher.publish(changed)
    }
}
