public import CloakroomCore

/// Proof that a person has authenticated. Every session begins with one, and every step-up needs one.
///
/// Only provers create it: such a file says `@_spi(Prover) import CloakroomSessions`, so that a search lists every
/// way to log in. The provers of accounts are in CloakroomAccounts; an app that keeps its own accounts is its own
/// prover.
public struct Proof: Hashable, Sendable {
    /// The subject that authenticated.
    public let subject: Subject
    /// The factors that were verified, and when.
    public let evidence: Evidence
    /// The name that the person logs in with, for responses to the client.
    public let login: String?
    /// The version of the credential that was checked: no session begins or is raised if it has changed meanwhile. nil for a
    /// subject whose account is kept elsewhere.
    public let credentialVersion: Int?
    /// The service credential of the backend that authenticated the person; nil if this process did.
    public let credential: CredentialID?

    /// Creates a proof. Call it only after the evidence has been verified.
    @_spi(Prover) public init(
        of subject: Subject, by evidence: Evidence, login: String?, credentialVersion: Int?,
        credential: CredentialID? = nil
    ) {
        self.subject = subject
        self.evidence = evidence
        self.login = login
        self.credentialVersion = credentialVersion
        self.credential = credential
    }
}
