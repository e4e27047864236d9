package import CloakroomCore
import CloakroomTokens

extension SessionService {
    /// Changes the password, ends every other session of the subject, and raises this one to a new generation, in one
    /// step: a spent refresh token changes no password.
    /// - Throws: `Denial.invalidCredentials` for a wrong current password, `.invalidRequest` for a new one that may not
    ///   be chosen, and what `stepUp` throws.
    package func changePassword(
        _ presented: Presented, from current: Password, to new: Password, device: Device
    ) async throws -> SessionGrant {
        let user = try await reauthenticate(presented, password: current, from: device)
        try checkChoice(new, for: user.email, field: "new_password")
        let hash = try await hasher.hash(new, for: .known)
        let (policy, key, now) = (policy, refreshKeyID, now)
        let change = PasswordChange(
            subject: user.subject, credentialVersion: user.credentialVersion, hash: hash, time: now)
        let changed = try await store.changePassword(change, by: presented.session) { session in
            let decided = decided(&session, presenting: presented, raising: .passwordChange, at: now) { session, held in
                session.stepUp(
                    to: .password(at: now), presenting: held, at: now, under: policy, signingWith: key)
            }
            return (decided, decided.value.answer.handsOutTokens)
        }
        // Another change was faster: that password, not this one, is the account's now.
        guard let changed else { throw Denial.invalidCredentials }
        finish(changed.revoked, of: user.subject, reason: .passwordChanged)
        return try grant(settle(changed.value, raising: .passwordChange), user)
    }

    /// Sets a password without knowing the old one, and ends every session: the operator's way.
    package func setPassword(_ new: Password, for user: User) async throws {
        try checkChoice(new, for: user.email, field: "password")
        let change = PasswordChange(
            subject: user.subject, credentialVersion: user.credentialVersion, hash: try await hasher.hash(new),
            time: now)
        let events = [SecurityEvent(.passwordChange, at: now, subject: user.subject)]
        let revoked = try await store.setPassword(change, recording: events)
        guard let revoked else { throw Denial.invalidCredentials }
        log.write(events)
        finish(revoked, of: user.subject, reason: .passwordChanged)
    }

    /// Disables an account, which ends its sessions, or enables it again.
    /// - Throws: `Denial.notFound` when there is no such account.
    package func setDisabled(_ isDisabled: Bool, _ subject: Subject) async throws {
        let events = [SecurityEvent(isDisabled ? .accountDisabled : .accountEnabled, at: now, subject: subject)]
        let revoked = try await store.setDisabled(isDisabled, subject, recording: events, at: now)
        guard let revoked else { throw Denial.notFound }
        log.write(events)
        finish(revoked, of: subject, reason: .accountDisabled)
    }

    /// Announces and logs sessions that the store has ended.
    private func finish(_ revoked: [Revoked], of subject: Subject, reason: RevocationReason) {
        announce(revoked)
        log.write(
            revoked.map {
                SecurityEvent(
                    .revocation, at: $0.time, subject: subject, session: $0.session, detail: reason.rawValue)
            })
    }
}

extension RefreshAnswer {
    fileprivate var handsOutTokens: Bool {
        switch self {
        case .rotated, .reissued: true
        case .served, .straggler, .adopted, .postponed, .denied: false
        }
    }
}
