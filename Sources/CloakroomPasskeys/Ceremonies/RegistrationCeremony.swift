/// The verifying half of a registration (WebAuthn Level 3 section 7.1), with the options that were sent.
///
/// It has no store and no clock. The caller makes sure that the challenge is fresh, unused and of this browser, that the
/// session that asked is the one that answers, and, with a unique index, that no other account gets the passkey between
/// the check and the commit.
package struct RegistrationCeremony: Sendable {
    package let site: RelyingParty
    /// At least 16 random bytes (section 13.4.3); 32 of them here.
    package let challenge: [UInt8]
    package let user: UserHandle
    /// `pubKeyCredParams`.
    package let algorithms: [COSEAlgorithm]
    package let userVerification: UserVerificationRequirement
    package let mediation: Mediation

    /// How the browser asks the user.
    package enum Mediation: Hashable, Sendable {
        case modal
        /// Without asking, after a login with a saved password: the user may be neither present nor verified.
        case conditional
    }

    package init(
        site: RelyingParty, challenge: [UInt8], user: UserHandle, algorithms: [COSEAlgorithm] = COSEAlgorithm.allCases,
        userVerification: UserVerificationRequirement = .required, mediation: Mediation = .modal
    ) {
        self.site = site
        self.challenge = challenge
        self.user = user
        self.algorithms = algorithms
        self.userVerification = userVerification
        self.mediation = mediation
    }

    /// Checks the response, in the order of the steps.
    /// - Parameter isKnown: whether any account has a passkey with the id of the response.
    package func verify(_ response: RegistrationResponse, isKnown: Bool) throws(PasskeyRefusal) -> VerifiedRegistration
    {
        let clientData = try ClientData(parsing: response.clientDataJSON)
        try clientData.check(.registration, challenge: challenge, for: site)
        let object = try AttestationObject(parsing: response.attestationObject)
        let data = try AuthenticatorData(parsing: object.authenticatorData)
        try checkFlags(data)
        guard let credential = data.credential else { throw .authenticatorData(.noCredential) }
        let key = try key(of: credential)
        let attestation = try attestation(object, of: credential, key: key, clientData)
        guard !isKnown else { throw .knownCredential }
        guard credential.id == response.id else { throw .wrongCredentialID }
        return VerifiedRegistration(
            passkey: passkey(data, credential, key: key, response: response), attestation: attestation)
    }

    private func checkFlags(_ data: AuthenticatorData) throws(PasskeyRefusal) {
        guard data.relyingPartyHash == site.idHash else { throw .wrongRelyingParty }
        switch mediation {
        case .modal:
            guard data.flags.contains(.userPresent) else { throw .userNotPresent }
            if userVerification.isRequired {
                guard data.flags.contains(.userVerified) else { throw .userNotVerified }
            }
        case .conditional: break
        }
        try data.flags.checkBackup()
    }

    private func key(of credential: AuthenticatorData.AttestedCredential) throws(PasskeyRefusal) -> COSEKey {
        guard let algorithm = COSEKey.algorithm(of: credential.key), algorithms.contains(algorithm) else {
            throw .algorithmNotOffered
        }
        do {
            return try COSEKey(credential.key, encoded: credential.encodedKey)
        } catch {
            throw .credentialKey(error)
        }
    }

    private func attestation(
        _ object: AttestationObject, of credential: AuthenticatorData.AttestedCredential, key: COSEKey,
        _ clientData: ClientData
    ) throws(PasskeyRefusal) -> Attestation {
        do {
            return try object.verifyStatement(of: credential, key: key, clientDataHash: clientData.hash)
        } catch {
            throw .attestation(error)
        }
    }

    private func passkey(
        _ data: AuthenticatorData, _ credential: AuthenticatorData.AttestedCredential, key: COSEKey,
        response: RegistrationResponse
    ) -> Passkey {
        Passkey(
            id: credential.id, user: user, publicKey: key, signCount: data.signCount,
            isUserVerificationInitialized: data.flags.contains(.userVerified),
            isBackupEligible: data.flags.contains(.backupEligible), isBackedUp: data.flags.contains(.backedUp),
            transports: response.transports, aaguid: credential.aaguid, isDiscoverable: response.isDiscoverable)
    }
}

/// A passkey that its authenticator has just made for the account. Only `RegistrationCeremony.verify` makes one.
package struct VerifiedRegistration: Hashable, Sendable {
    /// What is to be stored.
    package let passkey: Passkey
    /// For events. No passkey is better trusted for it.
    package let attestation: Attestation

    fileprivate init(passkey: Passkey, attestation: Attestation) {
        self.passkey = passkey
        self.attestation = attestation
    }
}

extension AuthenticatorData.Flags {
    /// A passkey that cannot be backed up is not backed up.
    func checkBackup() throws(PasskeyRefusal) {
        guard contains(.backupEligible) || !contains(.backedUp) else { throw .backedUpButNotEligible }
    }
}
