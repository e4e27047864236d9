/// An implementation of a durable renewal.
protocol Contestant: Sendable {
    var name: String { get }
    /// Renews session `index`, and returns when the renewal is on disk.
    func renew(_ index: Int) async throws
}

/// The result of one turn of a contestant.
struct Turn: Sendable {
    /// Renewals per second.
    let rate: Double
    /// The median and 99th percentile of the time of a renewal, in milliseconds.
    let median: Double
    let p99: Double
    /// Microseconds of this process's processor time per renewal.
    let processor: Double
}
