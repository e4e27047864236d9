/// - Throws: `LabError` after `seconds`; the work is cancelled then.
func within<Result: Sendable>(
    seconds: Double, _ work: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask(operation: work)
        group.addTask {
            try await Task.sleep(for: .seconds(seconds))
            throw LabError("not done within \(seconds) s")
        }
        defer { group.cancelAll() }
        guard let result = try await group.next() else { throw LabError("the work has not begun") }
        return result
    }
}

/// Polls until the condition is true. An error in it counts as false.
/// - Throws: `LabError` after `seconds`.
func wait(_ what: String, seconds: Double = 10, _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
        if (try? await condition()) == true { return }
        // After the condition and not before: on a busy machine one short sleep may outlast the limit.
        guard ContinuousClock.now < end else { throw LabError("waited \(seconds) s for \(what)") }
        try await Task.sleep(for: .milliseconds(50))
    }
}
