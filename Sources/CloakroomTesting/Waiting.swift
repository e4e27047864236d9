/// The condition of `waitUntil` did not become true in time.
package struct WaitedInVain: Error {}

/// Polls until the condition is true.
/// - Throws: `WaitedInVain` after two minutes, which is longer than any busy machine takes.
package func waitUntil(_ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(120)
    while try await !condition() {
        guard ContinuousClock.now < end else { throw WaitedInVain() }
        try await Task.sleep(for: .milliseconds(1))
    }
}
