import CloakroomStores
import Synchronization

/// Stores how much of each allowance is spent, for any number of names in a fixed amount of memory: a count-min
/// sketch whose counters drain with time.
///
/// Nothing is ever evicted, so a flood of names restores no spent allowance. A name has one counter in each of four
/// rows, shared with other names, and the smallest of the four counts. Sharing can only make an allowance look more
/// spent than it is, and only when busy names share all four counters. Each process seeds the hash at random, so that
/// an attacker cannot choose names that share counters with a victim's.
final class AllowanceSketch: Sendable {
    /// One try, as a share of the allowance of a name.
    struct Charge: Sendable {
        let name: String
        /// The number of tries in a whole allowance.
        let tries: Double
        fileprivate let hash: (first: Int, second: Int)

        init(_ name: String, of tries: Double) {
            self.name = name
            self.tries = max(1, tries)
            hash = (Self.hash(name, 0), Self.hash(name, 1) | 1)
        }

        fileprivate var share: Double { 1 / tries }

        private static func hash(_ name: String, _ salt: Int) -> Int {
            var hasher = Hasher()
            hasher.combine(salt)
            hasher.combine(name)
            return hasher.finalize()
        }
    }

    /// The charges that were taken, for a later `giveBack`.
    struct Receipt: Sendable {
        let charges: [Charge]
        let uptime: Duration
        /// The time in which a whole allowance is restored.
        let interval: Duration

        static let nothing = Receipt(charges: [], uptime: .zero, interval: .zero)
    }

    /// The spent part of an allowance (1 is a whole one) at a time in seconds. It drains by 1 in each interval.
    private struct Counter {
        var spent = 0.0
        var time = 0.0
    }

    private let interval: Double
    private let wholeInterval: Duration
    private let width: Int
    private let counters: Mutex<[Counter]>
    private static let rows = 4
    /// Shares below this count as zero. It is less than the allowance that drains within a millisecond, and more than
    /// the sum of rounding errors.
    private static let tolerance = 1e-9

    /// Creates a sketch in which no allowance is spent.
    /// - Parameters:
    ///   - interval: the time in which a fully spent allowance is restored.
    ///   - width: the number of counters in a row, 16 bytes each; a power of two.
    init(interval: Duration, width: Int = 1 << 15) {
        self.interval = Self.seconds(interval)
        wholeInterval = interval
        self.width = width
        counters = Mutex(Array(repeating: Counter(), count: width * Self.rows))
    }

    /// Takes all charges, or none when one of the allowances is spent.
    /// - Parameter uptime: the time of a monotonic clock, in all methods of this type.
    func take(_ charges: [Charge], at uptime: Duration) -> Result<Receipt, AllowanceShortage> {
        let time = Self.seconds(uptime)
        return counters.withLock { counters in
            let missing = charges.map { spent(on: $0, in: &counters, at: time) + $0.share - 1 }
            if let most = missing.max(), most > Self.tolerance, let index = missing.firstIndex(of: most) {
                return .failure(AllowanceShortage(index: index, wait: .seconds(most * interval)))
            }
            for charge in charges { add(charge.share, to: charge, in: &counters) }
            return .success(Receipt(charges: charges, uptime: uptime, interval: wholeInterval))
        }
    }

    /// Gives the charges back, except the part that has drained meanwhile. To give back more would restore the charges
    /// of other requesters.
    func giveBack(_ receipt: Receipt, at uptime: Duration) {
        let time = Self.seconds(uptime)
        let drained = max(0, time - Self.seconds(receipt.uptime)) / interval
        counters.withLock { counters in
            for charge in receipt.charges where charge.share > drained {
                _ = spent(on: charge, in: &counters, at: time)
                add(drained - charge.share, to: charge, in: &counters)
            }
        }
    }

    /// Gives back what was taken for a try that the store refuses, and notes that the allowance is spent, so that the
    /// next tries are refused without asking the store.
    func giveBack(_ receipt: Receipt, refused shortage: AllowanceShortage, at uptime: Duration) {
        giveBack(receipt, at: uptime)
        guard receipt.charges.indices.contains(shortage.index) else { return }
        let (charge, time) = (receipt.charges[shortage.index], Self.seconds(uptime))
        let least = min(1, 1 - charge.share + Self.seconds(shortage.wait) / interval)
        counters.withLock { counters in
            _ = spent(on: charge, in: &counters, at: time)
            for row in 0..<Self.rows {
                let index = index(of: charge, row)
                counters[index].spent = max(counters[index].spent, least)
            }
        }
    }

    /// Drains the counters of the name up to `time`, and returns the smallest.
    private func spent(on charge: Charge, in counters: inout [Counter], at time: Double) -> Double {
        var least = Double.infinity
        for row in 0..<Self.rows {
            let index = index(of: charge, row)
            let elapsed = max(0, time - counters[index].time)
            counters[index].spent = max(0, counters[index].spent - elapsed / interval)
            counters[index].time = max(time, counters[index].time)
            least = min(least, counters[index].spent)
        }
        return least
    }

    private func add(_ share: Double, to charge: Charge, in counters: inout [Counter]) {
        for row in 0..<Self.rows {
            let index = index(of: charge, row)
            counters[index].spent = max(0, counters[index].spent + share)
        }
    }

    private func index(of charge: Charge, _ row: Int) -> Int {
        row * width + (charge.hash.first &+ row &* charge.hash.second) & (width - 1)
    }

    private static func seconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
