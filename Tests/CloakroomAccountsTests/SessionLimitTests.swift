import CloakroomCore
import CloakroomSQLite
import CloakroomTesting
import CloakroomTokens
import Foundation
import Testing

@testable import CloakroomSessions
@testable import CloakroomStores

@Suite struct SessionLimitTests {
    @Test("beyond maxSessions the session that was unused for longest ends at once, and this is recorded")
    func tooMany() async throws {
        let world = try ServiceWorld(maximumSessions: 3)
        let first = try await world.signUp()
        var later: [SessionGrant] = []
        for _ in 0..<3 {
            world.time.advance(.minutes(1))
            later.append(try await world.logIn(world.login()))
        }
        #expect(try await world.livingSessions(of: first).map(\.id) == later.reversed().map(\.session.id))
        #expect(world.sessions.verifier.revocations.isRevoked(first.session.id))
        #expect(
            try world.events.filter { $0.kind == .revocation }.map(\.details.reason)
                == [.tooManySessions])
        #expect(world.log.lines.contains { $0.contains("too_many_sessions") })
        #expect(
            await denial { try await world.sessions.refresh(world.token(first), presenting: nil, from: .cookie) }
                == .sessionRevoked)
    }

    @Test("a list has pages, and each but the last has a cursor for the next")
    func pages() async throws {
        let world = try ServiceWorld()
        let grant = try await world.signUp()
        for _ in 0..<4 { _ = try await world.logIn(world.login()) }
        var (sizes, seen, cursor): ([Int], Set<SessionID>, SessionCursor?) = ([], [], nil)
        repeat {
            let page = try await world.sessions.sessions(
                .ofSubject(grant.session.subject, except: nil), after: cursor, limit: 2)
            sizes.append(page.sessions.count)
            seen.formUnion(page.sessions.map(\.id))
            cursor = page.next
        } while cursor != nil && sizes.count < 9
        #expect(sizes == [2, 2, 1] && seen.count == 5)
    }
}

@Suite struct RevocationStepTests {
    private static let count = 5000

    private func begin(_ count: Int, in world: ServiceWorld, of subject: Subject) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for part in 0..<50 {
                group.addTask {
                    for index in 0..<count where index % 50 == part {
                        let session = Session(
                            id: SessionID("s\(10_000 + index)"), subject: subject, secret: Secret([1]),
                            refreshKey: "r1",
                            details: Session.Details(
                                client: .browser, remembered: false, userAgent: "",
                                address: "", evidence: Evidence(.password, at: world.time.now)),
                            at: world.time.now,
                            under: world.sessions.policy)
                        let start = SessionStart(
                            session, credentialVersion: 0, maximumSessions: .max, policy: world.sessions.policy)
                        _ = try await world.store.begin(start, recording: [])
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("five thousand sessions end in steps, with renewals in between, and none is left")
    func renewals() async throws {
        let world = try ServiceWorld(.sqlite)
        let subject = try await world.signUp().session.subject
        try await begin(Self.count, in: world, of: subject)
        // Sessions end in the order of their ids, so this one ends last.
        let last = SessionID("s\(10_000 + Self.count - 1)")
        let ending = Task { try await world.sessions.revoke(.all, reason: .endedByAdministrator) }
        var between = 0
        while try await renew(last, in: world) {
            if try await !world.store.revocations(after: nil).revoked.isEmpty { between += 1 }
        }
        #expect(try await ending.value == Self.count + 1)
        #expect(between > 0, "no renewal was saved between the first end and its own")
        let left = try await world.sessions.sessions(.all, limit: 10).sessions
        #expect(left.isEmpty)
        #expect(try await world.sessions.revoke(.all, reason: .endedByAdministrator) == 0, "the second run ends none")
        #expect(try world.events(.revocation) == Self.count + 1)
    }

    /// - Returns: whether the session was alive.
    private func renew(_ id: SessionID, in world: ServiceWorld) async throws -> Bool {
        let committed = try await world.store.update(id) { session in
            let held = PresentedRefresh(
                generation: session.generation, issuedAt: session.rotatedAt, key: session.refreshKey)
            let answer = session.refresh(
                presenting: held, at: world.time.now, under: world.sessions.policy, signingWith: "r1")
            return Decided(answer != .denied(.sessionRevoked))
        }
        return committed?.publish { _, _ in } ?? false
    }

    @Test("an interrupted revocation of many keeps the announced ones, and a second run ends the rest")
    func interrupted() async throws {
        let world = try ServiceWorld(.sqlite)
        let subject = try await world.signUp().session.subject
        try await begin(1000, in: world, of: subject)
        let ending = Task { try await world.sessions.revoke(.all, reason: .endedByAdministrator) }
        try await waitUntil { try await !world.store.revocations(after: nil).revoked.isEmpty }
        ending.cancel()
        let first = try? await ending.value
        let announced = try await world.store.revocations(after: nil).revoked.count
        #expect(first != nil || announced.isMultiple(of: SessionService.revocationStep))
        let rest = try await world.sessions.revoke(.all, reason: .endedByAdministrator)
        #expect(announced + rest == 1001)
    }

    @Test("sessions that began after the given time stay")
    func createdBefore() async throws {
        let world = try ServiceWorld(.sqlite, maximumSessions: 1000)
        let subject = try await world.signUp().session.subject
        try await begin(450, in: world, of: subject)
        world.time.advance(.seconds(1))
        let grant = try await world.logIn(world.login())
        #expect(try await world.sessions.revoke(.createdBefore(world.time.now), reason: .endedByAdministrator) == 451)
        #expect(try await world.livingSessions(of: grant).map(\.id) == [grant.session.id])
    }
}
