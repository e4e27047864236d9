package import CloakroomCore
import CloakroomTokens

extension SessionService {
    /// Changes the password, ends every other session of the subject, and rotates this one.
    /// - Throws: `Denial.invalidCredentials` for a wrong current password, `.invalidRequest` for a new one that may not
    ///   be chosen, and what `refresh` throws.
    package func changePassword(
        _ presented: Presented, from current: Password, to new: Password, device: Device
    ) async throws -> SessionGrant {
        let user = try await reauthenticate(presented, password: current, from: device)
        try checkChoice(new, for: user.email, field: "new_password")
        try await set(new, for: user, keeping: presented.session)
        return try await raise(presented, of: user, kind: .passwordChange)
    }

    /// Sets a password without knowing the old one, and ends every session: the operator's way.
    package func setPassword(_ new: Password, for user: User) async throws {
        try checkChoice(new, for: user.email, field: "password")
        try await set(new, for: user, keeping: nil)
        try await record([SecurityEvent(.passwordChange, at: now, subject: user.subject)])
    }

    private func set(_ new: Password, for user: User, keeping kept: SessionID?) async throws {
        let hash = try await hasher.hash(new)
        let revoked = try await store.changePassword(
            of: user.subject, credentialVersion: user.credentialVersion, to: hash, keeping: kept, at: now)
        // Somebody else was faster: that password, not this one, is the account's now.
        guard let revoked else { throw Denial.invalidCredentials }
        announce(revoked)
        log.write(
            revoked.map {
                SecurityEvent(
                    .revocation, at: $0.time, subject: user.subject, session: $0.session,
                    detail: RevocationReason.passwordChanged.rawValue)
            })
    }

    /// Disables an account, which ends its sessions, or enables it again.
    /// - Throws: `Denial.notFound` when there is no such account.
    package func setDisabled(_ isDisabled: Bool, _ subject: Subject) async throws {
        guard let revoked = try await store.setDisabled(isDisabled, subject, at: now) else { throw Denial.notFound }
        announce(revoked)
        try await record([SecurityEvent(isDisabled ? .accountDisabled : .accountEnabled, at: now, subject: subject)])
    }
}
