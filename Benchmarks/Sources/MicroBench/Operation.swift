import CAllocations
import Foundation

/// A small operation that is measured by repetition.
struct Operation {
    let name: String
    let run: () throws -> Void

    struct Cost {
        /// The processor time of this process.
        let microseconds: Double
        /// The number of memory allocations.
        let allocations: Double
    }

    /// The cost of one run, measured for `seconds` after a warm-up.
    func measure(seconds: Double) throws -> Cost {
        for _ in 0..<100 { try run() }
        var best = Double.infinity
        var allocations = Double.infinity
        let end = ContinuousClock.now + .seconds(seconds)
        repeat {
            let count = 200
            let (time, asked) = (Self.processorSeconds, allocations_count())
            for _ in 0..<count { try run() }
            best = min(best, (Self.processorSeconds - time) / Double(count) * 1e6)
            allocations = min(allocations, Double(allocations_count() - asked) / Double(count))
        } while ContinuousClock.now < end
        return Cost(microseconds: best, allocations: allocations)
    }

    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
