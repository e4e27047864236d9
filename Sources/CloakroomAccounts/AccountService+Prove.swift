import CloakroomCore
package import CloakroomSessions
@_spi(Prover) package import CloakroomSessions
package import CloakroomStores
package import CloakroomTokens

/// Proves an identity by its password.
extension AccountService {
    /// Checks the password of an account.
    /// - Parameter token: the refresh token in the request. The holder of a live session has its own allowance of
    ///   tries.
    /// - Throws: `Denial.invalidCredentials` for a wrong password, an unknown account and a disabled account alike,
    ///   and in the same time; `.rateLimited`; `.unavailable`.
    package func prove(
        _ email: EmailAddress, _ password: Password, from device: Device, holding token: RefreshToken? = nil
    ) async throws -> Proof {
        let session = try await sessions.held(by: token)
        return try await proof(
            authenticate(email, password, from: device, holding: session, failure: .loginFailed))
    }

    /// Checks the password of the account that owns the presented session.
    /// - Throws: the errors of `prove(_:_:from:holding:)` and of `SessionService.session`.
    package func prove(
        _ password: Password, ofOwnerOf presented: SessionService.Presented, from device: Device
    ) async throws -> Proof {
        try await proof(owner(of: presented, password: password, from: device))
    }

    /// Checks the password of the account that owns the presented session, and returns the account.
    /// - Throws: `Denial.stepUpUnavailable` for a session of an app with a login of its own, whose passwords are not here.
    func owner(
        of presented: SessionService.Presented, password: Password, from device: Device
    ) async throws -> Account {
        let session = try await sessions.session(presented)
        guard let account = try await store.account(session.subject) else {
            throw session.subject.isOfAccount ? Denial.sessionRevoked : .stepUpUnavailable
        }
        return try await authenticate(
            account.email, password, from: device, holding: session, failure: .stepUpFailed)
    }

    func proof(_ account: Account) -> Proof {
        Proof(
            of: account.subject, by: Evidence(.password, at: now), login: account.email.rawValue,
            credentialVersion: account.credentialVersion)
    }

    /// Checks a password within the login limits.
    /// - Parameter session: a live session whose current token the request carries.
    /// - Returns: the account, if the password is right and the account may log in.
    private func authenticate(
        _ email: EmailAddress, _ password: Password, from device: Device, holding session: Session?,
        failure: SecurityEvent.Kind
    ) async throws -> Account {
        let (account, familiarity) = try await store.account(email, from: device.network)
        let admission = try await admit(
            LoginRateLimit.Requester(
                email: email, network: device.network, familiarity: familiarity,
                session: session.flatMap { $0.subject == account?.subject ? $0.id : nil }),
            account, from: device)
        let verdict: PasswordHasher.Verdict
        do {
            verdict = try await hasher.verify(
                password, against: account?.passwordHash, for: admission.isKnownRequester ? .known : .stranger)
        } catch {
            await giveBack(admission)
            throw error
        }
        guard let account, verdict != .wrong, !account.isDisabled else {
            if let refusal = admission.refusal {
                throw await refuse(refusal, .loginRateLimited, account?.subject, from: device)
            }
            try await record([SecurityEvent(failure, at: now, subject: account?.subject, address: device.address)])
            throw Denial.invalidCredentials
        }
        await giveBack(admission)
        if case .rightAndRehashed(let hash) = verdict {
            try await store.rehash(account.subject, from: account.passwordHash, to: hash)
        }
        return account
    }

    /// Charges one try to all allowances that apply.
    private func admit(
        _ requester: LoginRateLimit.Requester, _ account: Account?, from device: Device
    ) async throws -> LoginAdmission {
        let estimate = loginLimit.estimate(requester, at: environment.uptime())
        let answers: [SharedAllowances.Answer]
        do {
            if estimate.mayBeVerified { try hasher.checkRoom(for: requester.isKnown ? .known : .stranger) }
            answers = try await sharedAllowances.charge(estimate.receipts)
        } catch {
            loginLimit.giveBack(estimate, at: environment.uptime())
            throw error
        }
        switch loginLimit.settle(estimate, answers, at: environment.uptime()) {
        case .admitted(let admission): return admission
        case .refused(let refusal, let looksVerified):
            if looksVerified { await hasher.waitAsForVerification() }
            throw await refuse(refusal, .loginRateLimited, account?.subject, from: device)
        }
    }

    /// Returns the charges of a try that was right, or whose password was not checked.
    private func giveBack(_ admission: LoginAdmission) async {
        loginLimit.giveBack(admission, at: environment.uptime())
        await sharedAllowances.giveBack(admission.shared)
    }
}
