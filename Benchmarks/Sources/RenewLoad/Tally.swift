import Foundation

/// The counts of requests and responses.
struct Tally: Sendable {
    var asked = 0
    /// The time of each successful renewal.
    var microseconds: [UInt32] = []
    /// The number of renewals that returned a new refresh token.
    var rotated = 0
    /// The number of renewals that confirmed the credential and returned none.
    var served = 0
    var failures = 0
    var reconnects = 0
    var statuses: [Int: Int] = [:]

    mutating func add(_ other: Tally) {
        asked += other.asked
        microseconds += other.microseconds
        rotated += other.rotated
        served += other.served
        failures += other.failures
        reconnects += other.reconnects
        statuses.merge(other.statuses, uniquingKeysWith: +)
    }

    func json(seconds: Double) -> String {
        let sorted = microseconds.sorted()
        func milliseconds(_ share: Double) -> Double {
            guard !sorted.isEmpty else { return 0 }
            return Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]) / 1000
        }
        let answers = statuses.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
        let figures = String(
            format: "\"seconds\": %.3f, \"rate\": %.1f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f", seconds,
            Double(sorted.count) / seconds, milliseconds(0.5), milliseconds(0.99), milliseconds(1))
        let counts =
            "\"rotated\": \(rotated), \"served\": \(served), \"errors\": \(failures), \"reconnects\": \(reconnects)"
        return "{\"count\": \(sorted.count), \(figures), \(counts), \"statuses\": {\(answers)}}"
    }
}
