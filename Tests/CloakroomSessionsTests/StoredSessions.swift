import CloakroomCore
import CloakroomStores
import CloakroomTesting
import Testing

func end(_ id: SessionID, in store: InMemoryStore, at time: Instant) async throws {
    _ = try await store.revoke(.id(id), reason: .endedByAdministrator, at: time, after: nil, limit: 1)
}

func begin(_ id: SessionID, in store: InMemoryStore, at time: Instant) async throws {
    let policy = SessionPolicy()
    let session = Session(
        id: id, subject: Subject("u"), secret: Secret([1]), refreshKey: "r",
        details: Session.Details(
            client: .browser, remembered: false, userAgent: "", address: "",
            evidence: Evidence(.password, at: time)),
        at: time, under: policy)
    let start = SessionStart(session, credentialVersion: nil, maximumSessions: 9, policy: policy)
    _ = try #require(try await store.begin(start, recording: []))
}
