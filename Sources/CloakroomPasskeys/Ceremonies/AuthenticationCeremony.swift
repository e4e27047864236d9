import Crypto

/// The verifying half of an authentication (WebAuthn Level 3 section 7.2), with the options that were sent.
///
/// It has no store and no clock. The caller makes sure that the challenge is fresh, of this browser, and not used before,
/// and stores `VerifiedAssertion.passkey(besideAnotherFactor:)` in the transaction of what the assertion allows.
package struct AuthenticationCeremony: Sendable {
    package let site: RelyingParty
    /// At least 16 random bytes (section 13.4.3); 32 of them here.
    package let challenge: [UInt8]
    /// The account, where it is known before: at a step-up, or after a password. nil at a login without an address.
    package let user: UserHandle?
    /// `allowCredentials`; empty for any passkey.
    package let allowed: [PasskeyID]
    package let userVerification: UserVerificationRequirement

    package init(
        site: RelyingParty, challenge: [UInt8], user: UserHandle? = nil, allowed: [PasskeyID] = [],
        userVerification: UserVerificationRequirement = .required
    ) {
        self.site = site
        self.challenge = challenge
        self.user = user
        self.allowed = allowed
        self.userVerification = userVerification
    }

    /// Checks the response, in the order of the steps.
    /// - Parameter passkey: the stored passkey with the id of the response; nil if there is none.
    package func verify(_ response: AuthenticationResponse, by passkey: Passkey?) throws(PasskeyRefusal)
        -> VerifiedAssertion
    {
        guard allowed.isEmpty || allowed.contains(response.id) else { throw .credentialNotAllowed }
        guard let passkey, passkey.id == response.id else { throw .unknownCredential }
        try checkUser(of: passkey, response)
        let clientData = try ClientData(parsing: response.clientDataJSON)
        try clientData.check(.authentication, challenge: challenge, for: site)
        let data = try AuthenticatorData(parsing: response.authenticatorData)
        try check(data, of: passkey)
        let message = response.authenticatorData + clientData.hash
        guard passkey.publicKey.isValid(signature: response.signature, for: message) else { throw .badSignature }
        let counter = SignatureCounter(data.signCount, after: passkey.signCount)
        guard counter != .notIncreased || passkey.isBackupEligible else { throw .counterNotIncreased }
        return VerifiedAssertion(verified: passkey, data: data, counter: counter)
    }

    /// The user handle alone says who logs in, where nothing else does.
    private func checkUser(of passkey: Passkey, _ response: AuthenticationResponse) throws(PasskeyRefusal) {
        if let user {
            guard passkey.user == user else { throw .wrongUser }
        } else {
            guard response.userHandle != nil else { throw .missingUserHandle }
        }
        guard response.userHandle == nil || response.userHandle == passkey.user else { throw .wrongUser }
    }

    private func check(_ data: AuthenticatorData, of passkey: Passkey) throws(PasskeyRefusal) {
        guard data.credential == nil else { throw .authenticatorData(.unexpectedCredential) }
        guard data.relyingPartyHash == site.idHash else { throw .wrongRelyingParty }
        guard data.flags.contains(.userPresent) else { throw .userNotPresent }
        if userVerification.isRequired {
            guard data.flags.contains(.userVerified) else { throw .userNotVerified }
            guard passkey.isUserVerificationInitialized else { throw .userVerificationNotInitialized }
        }
        try data.flags.checkBackup()
        guard data.flags.contains(.backupEligible) == passkey.isBackupEligible else { throw .backupEligibilityChanged }
    }
}

/// What the signature counter tells (WebAuthn Level 3 section 6.1.1): a signal that a passkey was copied, not a proof.
package enum SignatureCounter: Hashable, Sendable {
    /// The authenticator keeps none, as is usual for synced passkeys.
    case notKept
    case increased
    /// For an event. Only a passkey that can be synced gets this far, because its devices may count for themselves.
    case notIncreased

    init(_ count: UInt32, after stored: UInt32) {
        if count == 0 && stored == 0 {
            self = .notKept
        } else {
            self = count > stored ? .increased : .notIncreased
        }
    }
}

/// An assertion that the holder of a passkey has just made. Only `AuthenticationCeremony.verify` makes one.
package struct VerifiedAssertion: Hashable, Sendable {
    package let id: PasskeyID
    /// The account.
    package let user: UserHandle
    /// Whether the authenticator verified its user: two factors, not one.
    package let isUserVerified: Bool
    package let counter: SignatureCounter
    private let verified: Passkey
    private let data: AuthenticatorData

    fileprivate init(verified: Passkey, data: AuthenticatorData, counter: SignatureCounter) {
        id = verified.id
        user = verified.user
        isUserVerified = data.flags.contains(.userVerified)
        self.counter = counter
        self.verified = verified
        self.data = data
    }

    /// The passkey as it is to be stored (section 7.2 step 24). The counter never goes down.
    /// - Parameter besideAnotherFactor: whether the user has also shown a factor that is not this passkey. Only then may
    ///   it log in alone from now on: else one who took an authenticator without PIN could set one.
    package func passkey(besideAnotherFactor: Bool) -> Passkey {
        var passkey = verified
        passkey.signCount = max(passkey.signCount, data.signCount)
        passkey.isBackedUp = data.flags.contains(.backedUp)
        if isUserVerified && besideAnotherFactor { passkey.isUserVerificationInitialized = true }
        return passkey
    }
}
