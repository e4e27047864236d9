package import CloakroomCore
import CloakroomSessions
package import CloakroomStores

extension BackendService {
    /// The limit of failed tries for each network. A right key passes also when it is spent. A key cannot be guessed; the
    /// limit bounds how fast a peer with a wrong one can fill the record of events.
    static let failedTriesPerMinute = 20.0

    /// Returns the credential of a key.
    /// - Parameters:
    ///   - text: the bearer token of the call; nil without one.
    ///   - address: the address of the peer; nil on a Unix socket.
    ///   - isWithin: whether the peer is in a network in CIDR notation.
    /// - Throws: `Denial.serviceKeyInvalid`, or `.rateLimited` in its place after many failed tries.
    package func authenticate(
        _ text: String?, from address: String?, isWithin: (_ network: String) -> Bool
    ) async throws -> ServiceCredential {
        guard let key = text.flatMap({ ServiceKey(parsing: $0) }) else { throw await refuse(nil, from: address) }
        let credential = try await store.credential(key.id)
        // The same comparison for an unknown id: the time must not show which ids exist.
        let isRight = constantTimeEqual(key.digest, credential?.digest ?? Self.digestOfNone)
        guard let credential, isRight, credential.isUsable(at: now), credential.rights.network.map(isWithin) ?? true
        else { throw await refuse(credential?.id, from: address) }
        return credential
    }

    /// Whether the credential still exists and has not expired, for a call that goes on for long.
    package func isValid(_ credential: ServiceCredential) async throws -> Bool {
        try await store.credential(credential.id) == credential && credential.isUsable(at: now)
    }

    /// No secret has this digest.
    private static let digestOfNone = [UInt8](repeating: 0, count: 32)

    private func refuse(_ id: CredentialID?, from address: String?) async -> Denial {
        let network = NetworkAddress(of: address ?? "unix")
        let charges = network.aggregates.map {
            AllowanceSketch.Charge($0.name, of: Self.failedTriesPerMinute * $0.weight)
        }
        if case .failure(let shortage) = failedTries.take(charges, at: environment.uptime()) {
            publisher.log.count(.serviceKeyRefused)
            return Refusal(of: .network(network), wait: shortage.wait).denial
        }
        let event = SecurityEvent(.serviceKeyRefused, at: now, address: address, details: .init(credential: id))
        // The response does not depend on the disk.
        if let recorded = try? await store.record([event]) { publisher.publish(recorded) }
        return .serviceKeyInvalid
    }

    /// Records a use of the service API that records no event of its own.
    /// - Parameter isRead: only the first use in a minute is recorded.
    package func recordUse(
        of operation: String, _ credential: ServiceCredential, subject: Subject? = nil, session: SessionID? = nil,
        isRead: Bool
    ) async throws {
        if isRead, !uses.isDue(operation, credential.id, at: environment.uptime()) { return }
        let event = SecurityEvent(
            .serviceCall, at: now, subject: subject, session: session,
            details: .init(credential: credential.id, operation: operation))
        publisher.publish(try await store.record([event]))
    }
}

extension ServiceCredential {
    fileprivate func isUsable(at now: Instant) -> Bool {
        expiresAt.map { now < $0 } ?? true
    }

    /// - Throws: `Denial.serviceScope` for a call that the key does not allow.
    package func require(_ scope: ServiceScope) throws(Denial) {
        guard rights.scopes.contains(scope) else { throw .serviceScope }
    }

    /// Whether the key may name the subject.
    package func mayName(_ subject: Subject) -> Bool {
        rights.subjectPrefix.map { subject.rawValue.utf8.starts(with: $0.utf8) } ?? true
    }

    /// - Throws: `Denial.serviceScope` for a subject that the key does not allow.
    package func require(_ subject: Subject) throws(Denial) {
        guard mayName(subject) else { throw .serviceScope }
    }
}
