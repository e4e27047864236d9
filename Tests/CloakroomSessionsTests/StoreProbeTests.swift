import CloakroomCore
import CloakroomTesting
import Foundation
import GRDB
import Logging
import Testing

@testable import CloakroomSQLite
@testable import CloakroomSessions

@Suite struct StoreProbeTests {
    private let temporary: TemporaryDirectory
    private let time = TestEnvironment()
    private let store: SQLiteStore
    private let probe: StoreProbe

    init() throws {
        temporary = try TemporaryDirectory()
        #expect(mkdir(temporary.file("data"), 0o700) == 0)
        store = try SQLiteStore(path: temporary.file("data/test.sqlite"))
        probe = StoreProbe(
            store: store, environment: time.environment, logger: Logger(label: "test"), patience: .seconds(600))
    }

    @Test("any number of probes within a second causes one write")
    func coalesced() async throws {
        let before = try await store.commits.write { $0.totalChangesCount }
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 { group.addTask { await probe.isReady() } }
            for await isReady in group { #expect(isReady) }
        }
        #expect(try await store.commits.write { $0.totalChangesCount } == before + 1)
        time.advance(.seconds(1))
        #expect(await probe.isReady())
        #expect(try await store.commits.write { $0.totalChangesCount } == before + 2)
    }

    @Test("a store that refuses writes is not ready, and is ready again when it accepts them")
    func ready() async throws {
        #expect(await probe.isReady())
        #expect(rename(temporary.file("data"), temporary.file("gone")) == 0)
        time.advance(.seconds(1))
        #expect(await !probe.isReady())
        #expect(rename(temporary.file("gone"), temporary.file("data")) == 0)
        try await waitUntil {
            time.advance(.seconds(1))
            return await probe.isReady()
        }
    }

    @Test("a step of the wall clock neither hides a failure nor causes one", arguments: [Span.days(-400), .days(400)])
    func clock(_ step: Span) async throws {
        #expect(await probe.isReady())
        time.step(step)
        #expect(rename(temporary.file("data"), temporary.file("gone")) == 0)
        #expect(await probe.isReady(), "the result of this second is reused")
        time.advance(.seconds(1))
        #expect(await !probe.isReady())
    }

    @Test("a hanging disk is reported as not ready before a load balancer's timeout")
    func hanging() async throws {
        let probe = StoreProbe(
            store: store, environment: time.environment, logger: Logger(label: "test"), patience: .milliseconds(50))
        let gate = DispatchSemaphore(value: 0)
        async let busy: Void = store.commits.write { _ in gate.wait() }
        #expect(await !probe.isReady())
        gate.signal()
        try await busy
        try await waitUntil {
            time.advance(.seconds(1))
            return await probe.isReady()
        }
    }
}
