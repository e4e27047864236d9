package import CloakroomCore
import CloakroomSessions
package import CloakroomStores

extension BackendService {
    /// Adds a credential.
    /// - Parameter lifetime: nil for a key that does not expire.
    /// - Returns: the credential, and its key, which is not saved anywhere.
    package func addCredential(
        _ rights: ServiceCredential.Rights, lifetime: Span?
    ) async throws -> (credential: ServiceCredential, key: ServiceKey) {
        let key = ServiceKey(random: environment.random)
        let credential = ServiceCredential(
            id: key.id, digest: key.digest, rights: rights, createdAt: now, expiresAt: lifetime.map { now + $0 })
        guard let added = try await store.add(credential, recording: [event(.credentialAdded, key.id)]) else {
            // Another credential has these 48 random bits as its id.
            throw Denial.unavailable(retryAfter: .seconds(1))
        }
        publisher.publish(added)
        return (credential, key)
    }

    /// Every credential, oldest first.
    package func credentials() async throws -> [ServiceCredential] {
        try await store.credentials()
    }

    /// Removes a credential. Every process refuses its key from now on.
    /// - Throws: `Denial.notFound` when there is no such credential.
    package func removeCredential(_ id: CredentialID) async throws {
        guard let removed = try await store.remove(id, recording: [event(.credentialRemoved, id)]) else {
            throw Denial.notFound
        }
        publisher.publish(removed)
    }

    private func event(_ kind: SecurityEvent.Kind, _ id: CredentialID) -> SecurityEvent {
        SecurityEvent(kind, at: now, details: .init(credential: id))
    }
}
