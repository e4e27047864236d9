import CloakroomCore
import CloakroomStores
import CloakroomTokens

/// The store that the server uses.
struct Ours: Contestant {
    let name = "cloakroom"
    let store: any SessionStore & AccountStore

    private static func subject(_ number: Int) -> Subject { Subject("u_bench-\(number)") }

    static func id(_ index: Int) -> SessionID { SessionID("session-\(index)") }

    /// Adds accounts and sessions, many at a time.
    static func fill(_ store: any SessionStore & AccountStore, sessions: Range<Int>) async throws {
        let now = Instant(milliseconds: 1_800_000_000_000)
        let users = sessions.count / 50 + 1
        for number in 0..<users {
            guard let email = EmailAddress(parsing: "bench-\(number)@example.com") else { return }
            _ = try await store.add(
                Account(
                    subject: subject(number), email: email, passwordHash: PasswordHash(phc: "none"),
                    credentialVersion: 0, isDisabled: false, createdAt: now),
                recording: [])
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for part in 0..<64 {
                group.addTask {
                    for index in sessions where index % 64 == part {
                        let session = Session(
                            id: id(index), subject: subject(index % users),
                            secret: Secret((0..<32).map { _ in UInt8.random(in: .min ... .max) }), refreshKey: "key",
                            details: Session.Details(
                                client: .browser, remembered: true,
                                userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
                                address: "203.0.113.7", evidence: .password(at: now)),
                            at: now,
                            under: SessionPolicy())
                        _ = try await store.begin(
                            SessionStart(
                                session, credentialVersion: 0, maximumSessions: 100, policy: SessionPolicy()),
                            recording: [])
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    func renew(_ index: Int) async throws {
        let renewed = try await store.update(Self.id(index)) { session in
            session = session.rotated
            return Decided(true)
        }
        guard renewed?.publish({ _, _ in }) == true else { throw Missing() }
    }
}

struct Missing: Error {}

extension Session {
    /// The session after one rotation.
    fileprivate var rotated: Session {
        Session(
            id: id, subject: subject, secret: secret, createdAt: createdAt, expiresAt: expiresAt,
            generation: generation + 1, confirmation: .pending, rotatedAt: rotatedAt + .seconds(1),
            refreshKey: refreshKey, stragglersFrom: generation, handedOutAt: rotatedAt + .seconds(1),
            isReissued: false, lastSeenAt: lastSeenAt + .seconds(1), revocation: nil, details: details)
    }
}
