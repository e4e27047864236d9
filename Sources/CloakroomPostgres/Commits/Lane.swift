import CloakroomCore
import CloakroomStores
import Foundation

/// One thread's connection, and how groups of works run on it. It connects again after each loss.
///
/// A group is read in one round trip and written in another, with one synchronisation point: one transaction, and one
/// flush of the disk.
///
/// Unchecked: its thread alone touches its state.
final class Lane: @unchecked Sendable {
    private let server: PostgresServer
    /// A group that takes longer has lost its connection: a server that was frozen keeps its sockets open.
    private let limit: Duration
    private var connection: PostgresConnection?
    private var backoff = Backoff()

    init(_ server: PostgresServer, limit: Duration) {
        self.server = server
        self.limit = limit
    }

    func perform(_ group: [PostgresWork]) -> GroupOutcome {
        let connection: PostgresConnection
        do { connection = try connected() } catch { return .failed(error) }
        do {
            var run = GroupRun(group, connection, server, limit)
            let outcome = try run.run()
            backoff.reset()
            return outcome
        } catch is ConnectionLost {
            drop()
            return .committed(again: Array(group.indices))
        } catch let error as ServerError where error.consequence == .readOnly {
            drop()
            return .committed(again: Array(group.indices))
        } catch {
            return .failed(error)
        }
    }

    private func drop() {
        connection = nil
        backoff.grow()
    }

    private func connected() throws -> PostgresConnection {
        // Another lane has found the server that replaced this one.
        if let connection, connection.timeline >= server.timeline { return connection }
        connection = nil
        try backoff.wait()
        do {
            let fresh = try server.connect(limit: limit)
            connection = fresh
            return fresh
        } catch {
            backoff.grow()
            throw error
        }
    }
}

/// When the next attempt to connect may be made. Instances that lost the same server must not all come back at once.
private struct Backoff {
    private var failures = 0
    private var until = ContinuousClock.now
    private static let longest = 2000.0

    mutating func reset() {
        failures = 0
    }

    mutating func grow() {
        failures += 1
        // The first attempt after a loss is made at once.
        guard failures > 1 else { return }
        let pause = min(Self.longest, 25 * pow(2, Double(failures)))
        until = .now + .milliseconds(Int(pause * Double.random(in: 0.5...1)))
    }

    /// Waits for short pauses, and fails in long ones: a thread that waits answers no request.
    func wait() throws {
        let left = ContinuousClock.now.duration(to: until)
        guard left > .zero else { return }
        guard left < .milliseconds(200) else { throw Unreachable(description: "PostgreSQL cannot be reached") }
        Thread.sleep(forTimeInterval: left / .seconds(1))
    }
}
