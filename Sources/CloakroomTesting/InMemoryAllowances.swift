package import CloakroomStores
import Synchronization

/// Allowances in memory, which the services of one test share.
package final class InMemoryAllowances: AllowanceStore {
    /// When each allowance will be whole again.
    private let restoredAt = Mutex<[[UInt8]: Duration]>([:])
    private let uptime: @Sendable () -> Duration

    package init(uptime: @escaping @Sendable () -> Duration) {
        self.uptime = uptime
    }

    package func charge(_ tries: [[AllowanceCharge]]) async throws -> [Result<AllowanceReceipt, AllowanceShortage>] {
        restoredAt.withLock { restoredAt in
            tries.map { Self.charge($0, in: &restoredAt, at: uptime()) }
        }
    }

    package func giveBack(_ receipts: [AllowanceReceipt]) async throws {
        restoredAt.withLock { restoredAt in
            for receipt in receipts {
                let restored = max(.zero, uptime() - receipt.time)
                for charge in receipt.charges where charge.cost > restored {
                    restoredAt[charge.name]? -= charge.cost - restored
                }
            }
        }
    }

    private static func charge(
        _ charges: [AllowanceCharge], in restoredAt: inout [[UInt8]: Duration], at now: Duration
    ) -> Result<AllowanceReceipt, AllowanceShortage> {
        let until = charges.map { charge in
            min(max(restoredAt[charge.name] ?? now, now), now + charge.interval) + charge.cost
        }
        let waits = zip(charges, until).map { charge, until in until - now - charge.interval }
        if let most = waits.max(), most > .zero, let index = waits.firstIndex(of: most) {
            return .failure(AllowanceShortage(index: index, wait: most))
        }
        for (charge, until) in zip(charges, until) { restoredAt[charge.name] = until }
        return .success(AllowanceReceipt(charges: charges, time: now))
    }
}
