package import CloakroomCore
package import CloakroomSessions
@_spi(Prover) package import CloakroomSessions
package import CloakroomStores

/// A backend's statement that it authenticated a person by itself.
package struct BackendAuthentication: Hashable, Sendable {
    /// The values of `amr`.
    package let methods: [String]
    package let level: AuthenticationLevel

    /// - Parameter methods: 1 to `Evidence.longestAssertion`, `Evidence.isMethod` each.
    package init(methods: [String], level: AuthenticationLevel) {
        self.methods = methods
        self.level = level
    }
}

/// Proves an identity by the word of a backend.
extension BackendService {
    /// - Throws: `Denial.serviceScope` for a subject or a level that the credential does not allow, and for an account of
    ///   this server: only its own provers vouch for it.
    package func prove(
        _ subject: Subject, _ authentication: BackendAuthentication, by credential: ServiceCredential
    ) throws(Denial) -> Proof {
        guard !subject.isOfAccount, authentication.level <= credential.rights.maximumLevel else { throw .serviceScope }
        try credential.require(subject)
        return Proof(
            of: subject,
            by: Evidence(asserting: authentication.methods, level: authentication.level, at: now), login: nil,
            credentialVersion: nil, credential: credential.id)
    }

    /// Begins a session, within the limit of new sessions for each subject.
    /// - Throws: `Denial.rateLimited`, and the errors of `SessionService.begin`.
    package func begin(_ proof: Proof, _ request: SessionRequest) async throws -> SessionGrant {
        try newSessions.take(proof.subject, at: environment.uptime())
        return try await sessions.begin(proof, request)
    }
}

extension Subject {
    /// The form of subjects, for messages.
    package static let expected = "must be 1 to 64 of A-Z, a-z, 0-9 and . _ : -"

    /// nil for a text that is no subject of the service API. Its length is bounded, so that the cookie stays within its
    /// size limit.
    package init?(external text: String) {
        let isWellFormed =
            1...64 ~= text.utf8.count
            && text.utf8.allSatisfy { byte in
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                    || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "._:-".utf8.contains(byte)
            }
        guard isWellFormed else { return nil }
        self.init(text)
    }
}
