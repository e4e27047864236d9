/// A way of making a renewal durable.
protocol Contestant: Sendable {
    var name: String { get }
    /// Returns when the renewal is on the disk.
    func renew(_ index: Int) async throws
}

/// What happened in one turn of a contestant.
struct Turn: Sendable {
    /// Renewals per second.
    let rate: Double
    /// Milliseconds.
    let median: Double
    let p99: Double
    /// Microseconds of this process's processor time per renewal.
    let processor: Double
}
