public import CloakroomCore

/// That a person has shown who they are. A session begins with one, and is raised by one.
///
/// Only provers make it: a file that does says `@_spi(Prover) import CloakroomSessions`, so that every way in can be
/// listed. The provers of accounts are in CloakroomAccounts; an app that keeps its own accounts is its own prover.
public struct Proof: Hashable, Sendable {
    /// Who the person is.
    public let subject: Subject
    /// What was shown.
    public let evidence: Evidence
    /// The name that the person logs in with, for answers to the client.
    public let login: String?
    /// The credential that was checked: no session begins or is raised if it has changed meanwhile. nil for a subject whose
    /// account is kept elsewhere.
    public let credentialVersion: Int?

    /// A proof. Make one only after what it says has been checked.
    @_spi(Prover) public init(of subject: Subject, by evidence: Evidence, login: String?, credentialVersion: Int?) {
        self.subject = subject
        self.evidence = evidence
        self.login = login
        self.credentialVersion = credentialVersion
    }
}
