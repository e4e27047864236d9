import Foundation
import NIOCore

/// The processors that are ours to use.
package enum Processors {
    /// Fewer than the machine has in a container with a quota, and under `taskset` or systemd's `CPUAffinity`.
    ///
    /// The framework knows of quotas alone: pinned to one processor of two it runs two event loops, and whoever is on the
    /// one waits out the other's time slice.
    package static var count: Int {
        min(System.coreCount, allowed ?? .max)
    }

    /// As the kernel says it (proc(5)): a mask in hexadecimal digits.
    private static var allowed: Int? {
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }
        let digits = line?.dropFirst("Cpus_allowed:".count).compactMap(\.hexDigitValue)
        let count = digits?.map(\.nonzeroBitCount).reduce(0, +)
        return count == 0 ? nil : count
    }
}
