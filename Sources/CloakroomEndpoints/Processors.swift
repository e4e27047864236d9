import Foundation
import NIOCore

/// The processors that this process may use.
package enum Processors {
    /// The count is smaller than the machine's in a container with a quota, and under `taskset` or systemd's
    /// `CPUAffinity`.
    ///
    /// The framework reads only quotas: pinned to one processor of two, it would run two event loops on it, and the
    /// requests of one would wait for the other's time slice.
    package static var count: Int {
        min(System.coreCount, allowed ?? .max)
    }

    /// The number of bits in the kernel's affinity mask, which proc(5) prints in hexadecimal digits.
    private static var allowed: Int? {
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }
        let digits = line?.dropFirst("Cpus_allowed:".count).compactMap(\.hexDigitValue)
        let count = digits?.map(\.nonzeroBitCount).reduce(0, +)
        return count == 0 ? nil : count
    }
}
