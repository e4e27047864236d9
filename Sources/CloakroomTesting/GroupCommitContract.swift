import CloakroomCore
package import CloakroomStores
import Dispatch

/// A database with rows, and the queue of group commits of a store in front of it.
package protocol GroupCommitFixture: Sendable {
    init(limits: GroupLimits) async throws
    /// The number of writes in the queue.
    var waiting: Int { get }
    /// Performs a write through the queue.
    /// - Returns: the row.
    func perform(_ write: GroupCommitContract.Write) async throws -> Int
    /// The rows in the database, in order.
    func rows() async throws -> [Int]
    /// The number of transactions that have committed rows.
    func commits() async throws -> Int
}

/// What the group commits of every store must do, as a list of checks.
package enum GroupCommitContract {
    /// A write of a check.
    package enum Write: Sendable {
        case insert(Int)
        /// Adds the row, then throws `Refused`.
        case refused(Int)
        /// Adds a row that violates a constraint at the commit only.
        case orphan(Int)
        /// Fails as on a full disk.
        case fullDisk
        /// Occupies the thread that commits while the closure runs.
        case occupy(@Sendable () -> Void)
    }

    package struct Refused: Error {
        package init() {}
    }

    /// One check. Each needs an empty database of its own.
    package struct Check: Sendable, CustomStringConvertible {
        package let description: String
        let limits: GroupLimits
        let body: @Sendable (any GroupCommitFixture) async throws -> Void

        package func run(on fixture: any GroupCommitFixture.Type) async throws {
            try await body(fixture.init(limits: limits))
        }
    }

    package static let checks: [Check] = [
        check("writes that wait for the same flush are committed together, and each gets its own result") { fixture in
            let results = try await gather((0..<100).map { .insert($0) }, fixture)
            try demand(try results.map { try $0.get() } == Array(0..<100), "\(results)")
            try demand(try await fixture.rows() == Array(0..<100), "the rows")
            try demand(try await fixture.commits() == 1, "\(try await fixture.commits()) commits")
        },
        check("a failing write fails alone, in its own statement or at the commit of the group") { fixture in
            _ = try await fixture.perform(.insert(100))
            var writes = (0..<20).map { Write.insert($0) }
            (writes[3], writes[7], writes[11]) = (.refused(3), .insert(100), .orphan(11))
            let results = try await gather(writes, fixture)
            try demand(failures(results) == [3, 7, 11], "\(failures(results)) failed")
            try demand(results[3].failure is Refused, "\(results[3])")
            try demand(try await fixture.rows() == (0..<20).filter { ![3, 7, 11].contains($0) } + [100], "the rows")
        },
        check("a write that throws does not cost the others a commit of their own") { fixture in
            var writes = (0..<50).map { Write.insert($0) }
            for index in [0, 10, 49] { writes[index] = .refused(index) }
            let results = try await gather(writes, fixture)
            try demand(failures(results) == [0, 10, 49], "\(failures(results)) failed")
            try demand(try await fixture.rows().count == 47, "the rows")
            try demand(try await fixture.commits() == 1, "\(try await fixture.commits()) commits")
        },
        check("a failure of the whole database fails all waiting writes at once, and later ones are tried again") {
            fixture in
            var writes = (0..<20).map { Write.insert($0) }
            writes[5] = .fullDisk
            let results = try await gather(writes, fixture)
            try demand(failures(results).count == 20, "only \(failures(results)) failed")
            try demand(try await fixture.rows() == [], "rows were saved")
            try demand(try await fixture.perform(.insert(7)) == 7, "the next write")
        },
        check("a write beyond the queue is refused and not executed", GroupLimits(queue: 3)) { fixture in
            let results = try await gather((0..<3).map { .insert($0) }, thenRefusing: .insert(3), fixture)
            try demand(try results.map { try $0.get() } == [0, 1, 2], "\(results)")
            try demand(try await fixture.rows() == [0, 1, 2], "the rows")
        },
        check(
            "a write that waited too long for a hanging disk is refused and not executed",
            GroupLimits(longestWait: .seconds(1))
        ) { fixture in
            let results = try await gather((0..<5).map { .insert($0) }, hanging: .seconds(2), fixture)
            for result in results { try demand(isUnavailable(result), "\(result)") }
            try demand(try await fixture.rows() == [], "rows were saved")
        },
        check("groups are bounded, and every write of consecutive groups is committed") { fixture in
            let results = try await gather((0..<600).map { .insert($0) }, fixture)
            try demand(failures(results).isEmpty && results.count == 600, "\(failures(results)) failed")
            try demand(try await fixture.commits() == 3, "\(try await fixture.commits()) commits")
            try demand(try await fixture.rows().count == 600, "the rows")
        },
    ]

    private static func check(
        _ sentence: String, _ limits: GroupLimits = GroupLimits(),
        _ body: @escaping @Sendable (any GroupCommitFixture) async throws -> Void
    ) -> Check {
        Check(description: sentence, limits: limits, body: body)
    }

    private static func demand(_ condition: Bool, _ what: String) throws {
        guard condition else { throw StoreContract.Violation(description: what) }
    }

    private static func failures(_ results: [Result<Int, any Error>]) -> [Int] {
        results.indices.filter { results[$0].failure != nil }
    }

    private static func isUnavailable(_ result: Result<Int, any Error>) -> Bool {
        result.failure as? Denial == .unavailable(retryAfter: .seconds(1))
    }

    /// Occupies the thread that commits until all `writes` are queued.
    /// - Parameters:
    ///   - late: a write that arrives when all others are queued, and must be refused.
    ///   - pause: how much longer the thread is occupied.
    package static func gather(
        _ writes: [Write], thenRefusing late: Write? = nil, hanging pause: Duration = .zero,
        _ fixture: any GroupCommitFixture
    ) async throws -> [Result<Int, any Error>] {
        let gate = DispatchSemaphore(value: 0)
        let occupied = DispatchSemaphore(value: 0)
        return try await withThrowingTaskGroup(of: (Int, Result<Int, any Error>).self) { group in
            // A failed wait must not block the first member, and with it the task group, forever.
            defer { gate.signal() }
            group.addTask {
                let first = await result {
                    try await fixture.perform(
                        .occupy {
                            occupied.signal()
                            gate.wait()
                        })
                }
                return (-1, first)
            }
            try await waitUntil { occupied.wait(timeout: .now()) == .success }
            for (index, write) in writes.enumerated() {
                group.addTask { (index, await result { try await fixture.perform(write) }) }
            }
            try await waitUntil { fixture.waiting == writes.count }
            if let late {
                let refusal = await result { try await fixture.perform(late) }
                try demand(isUnavailable(refusal), "\(refusal)")
            }
            try? await Task.sleep(for: pause)
            gate.signal()
            var results: [Int: Result<Int, any Error>] = [:]
            for try await (index, result) in group { results[index] = result }
            return writes.indices.compactMap { results[$0] }
        }
    }

    private static func result(_ work: @Sendable () async throws -> Int) async -> Result<Int, any Error> {
        do { return .success(try await work()) } catch { return .failure(error) }
    }
}

extension Result {
    /// The error; nil for a success.
    package var failure: Failure? {
        switch self {
        case .success: nil
        case .failure(let error): error
        }
    }
}
