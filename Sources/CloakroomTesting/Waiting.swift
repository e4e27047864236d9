/// The condition of `waitUntil` did not become true in time.
package struct WaitedInVain: Error {}

/// Polls until the condition is true.
/// - Throws: `WaitedInVain` after ten minutes: beside busy processes the whole suite takes that long, and a test waits for its turn on a thread.
package func waitUntil(_ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(600)
    while try await !condition() {
        guard ContinuousClock.now < end else { throw WaitedInVain() }
        try await Task.sleep(for: .milliseconds(1))
    }
}
