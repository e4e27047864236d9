/// A credential record (WebAuthn Level 3 section 4): what a store keeps of a passkey so that assertions can be verified.
package struct Passkey: Hashable, Sendable {
    package let id: PasskeyID
    /// The account.
    package let user: UserHandle
    package let publicKey: COSEKey
    /// The highest value of the signature counter; 0 for authenticators that keep none.
    package var signCount: UInt32
    /// Whether the user may log in with this passkey and nothing else. False until the passkey has verified its user at
    /// registration, or beside another factor (section 7.2 step 24).
    package var isUserVerificationInitialized: Bool
    /// Whether the passkey can be synced to other devices. Never changes.
    package let isBackupEligible: Bool
    /// Whether it is synced now.
    package var isBackedUp: Bool
    /// How browsers can reach the authenticator: hints for `allowCredentials` and `excludeCredentials`.
    package let transports: [String]
    /// The model of the authenticator, as it says itself. A name for people to read, not a fact.
    package let aaguid: [UInt8]
    /// Whether the user can log in without an address; nil where the browser did not say (`credProps`).
    package let isDiscoverable: Bool?

    package init(
        id: PasskeyID, user: UserHandle, publicKey: COSEKey, signCount: UInt32, isUserVerificationInitialized: Bool,
        isBackupEligible: Bool, isBackedUp: Bool, transports: [String], aaguid: [UInt8], isDiscoverable: Bool?
    ) {
        self.id = id
        self.user = user
        self.publicKey = publicKey
        self.signCount = signCount
        self.isUserVerificationInitialized = isUserVerificationInitialized
        self.isBackupEligible = isBackupEligible
        self.isBackedUp = isBackedUp
        self.transports = transports
        self.aaguid = aaguid
        self.isDiscoverable = isDiscoverable
    }
}
