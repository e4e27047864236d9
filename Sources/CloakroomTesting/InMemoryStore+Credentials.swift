// `CredentialStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomCore
public import CloakroomStores
import Synchronization

extension InMemoryStore {
    public func add(
        _ credential: ServiceCredential, recording events: [SecurityEvent]
    ) async throws -> Committed<Void>? {
        commit { state, journal in
            guard state.credentials[credential.id] == nil else { return nil }
            state.credentials[credential.id] = credential
            journal.events += events
            return ()
        }
    }

    public func credential(_ id: CredentialID) async throws -> ServiceCredential? {
        state.withLock { $0.credentials[id] }
    }

    public func credentials() async throws -> [ServiceCredential] {
        state.withLock { state in
            state.credentials.values.sorted { ($0.createdAt, $0.id.rawValue) < ($1.createdAt, $1.id.rawValue) }
        }
    }

    public func remove(
        _ id: CredentialID, recording events: [SecurityEvent]
    ) async throws -> Committed<Void>? {
        commit { state, journal in
            guard state.credentials.removeValue(forKey: id) != nil else { return nil }
            journal.events += events
            return ()
        }
    }
}
