/// What a test waited for did not come.
package struct WaitedInVain: Error {}

/// Waits until it is so.
/// - Throws: `WaitedInVain` after two minutes, which no busy machine takes.
package func waitUntil(_ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(120)
    while try await !condition() {
        guard ContinuousClock.now < end else { throw WaitedInVain() }
        try await Task.sleep(for: .milliseconds(1))
    }
}
