package import CloakroomCore
package import CloakroomStores
import Crypto
import Foundation

extension Environment {
    /// The system's wall clock (milliseconds), its monotonic clock, and a cryptographically secure random generator.
    package static let system = Environment(
        now: {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
        },
        uptime: {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        },
        random: { count in SymmetricKey(size: .init(bitCount: count * 8)).withUnsafeBytes { Array($0) } })

    /// As `system`, with the wall clock that the instances on this store share, if it has one.
    package static func system(on store: any SessionStore) -> Environment {
        guard store.sharedTime != nil else { return .system }
        return Environment(
            now: { store.sharedTime?.now ?? system.now() }, uptime: system.uptime, random: system.random,
            windowLengthening: { store.sharedTime?.lengthening(of: $0) ?? .zero })
    }
}
