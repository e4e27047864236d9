import Foundation

/// Prints the cost of each part of a check and of a renewal, one line each: name, microseconds of processor time,
/// allocations. With a file of thresholds it fails when an operation allocates more often than its threshold.
@main
struct MicroBench {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard 1...2 ~= arguments.count, let seconds = Double(arguments[0]) else {
            print("usage: MicroBench SECONDS [THRESHOLDS]")
            exit(64)
        }
        let thresholds = try arguments.count == 2 ? Thresholds(file: arguments[1]) : nil
        var failures: [String] = []
        for operation in try Operations().all {
            let cost = try operation.measure(seconds: seconds)
            print("\(operation.name)\t\(format(cost.microseconds, 2))\t\(format(cost.allocations, 0))")
            failures += thresholds?.failures(operation.name, allocations: cost.allocations) ?? []
        }
        for failure in failures { print("too much: \(failure)") }
        if !failures.isEmpty { exit(1) }
    }

    private static func format(_ number: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", number)
    }
}

/// The allowed number of allocations for each operation. The file lists every operation.
private struct Thresholds {
    private let allowed: [String: Double]

    /// Reads one line per operation: the name, a tab, the number.
    init(file: String) throws {
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map {
            $0.split(separator: "\t")
        }
        allowed = Dictionary(lines.map { (String($0[0]), Double($0[1]) ?? 0) }) { $1 }
    }

    func failures(_ name: String, allocations: Double) -> [String] {
        guard let limit = allowed[name] else { return ["\(name) has no threshold"] }
        return allocations.rounded() <= limit ? [] : ["\(name): \(allocations) allocations, \(limit) allowed"]
    }
}
