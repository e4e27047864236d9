import CloakroomCore
import CloakroomStores
import CloakroomTesting
import Logging
import Synchronization
import Testing

@testable import CloakroomPostgres

@Suite struct StoreClockTests {
    /// A machine and a database, in milliseconds. The test moves both.
    private final class World: Sendable {
        private let clocks = Mutex((wall: Int64(1_000_000), uptime: Int64(0), database: Int64(1_000_000)))

        var wall: Instant { Instant(milliseconds: clocks.withLock { $0.wall }) }
        var uptime: Int64 { clocks.withLock { $0.uptime } }
        var database: Instant { Instant(milliseconds: clocks.withLock { $0.database }) }

        func pass(_ milliseconds: Int64) {
            clocks.withLock { clocks in
                clocks.wall += milliseconds
                clocks.uptime += milliseconds
                clocks.database += milliseconds
            }
        }

        func set(wall: Int64 = 0, database: Int64 = 0) {
            clocks.withLock { clocks in
                clocks.wall += wall
                clocks.database += database
            }
        }
    }

    private let world = World()
    private let log = CapturedLog()
    private let clock: StoreClock

    init() {
        clock = StoreClock(
            logger: Logger(label: "test") { [log] _ in log }, wall: { [world] in world.wall },
            uptime: { [world] in world.uptime })
    }

    /// A request and a response that take so many milliseconds.
    private func read(_ there: Int64, _ back: Int64) {
        let sent = clock.uptime()
        world.pass(there)
        let time = world.database
        world.pass(back)
        clock.take(time, sent: sent)
    }

    private var error: Int64 { abs((clock.now - world.database).milliseconds) }

    @Test("before the database has told its time, the clock of the machine counts, and its later steps do not")
    func start() {
        #expect(clock.now == world.wall)
        world.pass(500)
        world.set(wall: 3_600_000)
        #expect(clock.now.milliseconds == 1_000_500)
    }

    @Test("one response is enough, whatever the difference", arguments: [-3_600_000, -70, 70, 3_600_000] as [Int64])
    func difference(_ milliseconds: Int64) {
        world.set(database: milliseconds)
        read(2, 3)
        #expect(error <= 6)
        world.pass(86_400_000)
        #expect(error <= 6)
    }

    @Test("a slow response does not spoil what a fast one has shown")
    func slow() {
        world.set(database: 5000)
        read(1, 0)
        for (there, back) in [(0, 900), (900, 0), (300, 400)] as [(Int64, Int64)] {
            read(there, back)
            #expect(error <= 2)
        }
    }

    @Test("steps of both clocks, in any order of fast and slow responses")
    func steps() {
        let random = TestEnvironment().environment.random
        /// A number below `limit`, the same ones in each run.
        func number(below limit: Int64) -> Int64 {
            random(8).reduce(0) { ($0 << 8 | Int64($1)) & 0xFFFF_FFFF } % limit
        }
        for round in 0..<2000 {
            world.set(
                wall: number(below: 8_000_000) - 4_000_000,
                database: round % 2 == 0 ? 0 : number(below: 8_000_000) - 4_000_000)
            let (there, back) = (number(below: 300), number(below: 300))
            read(there, back)
            #expect(error <= there + back + 1)
            world.pass(number(below: 1000))
        }
    }

    @Test("a step forward of the database is known for a while, and the first response is none")
    func forward() {
        world.set(database: 3_600_000)
        read(1, 1)
        #expect(clock.step == nil)
        for step in [-3_600_000, 1500, 600_000, 3000] as [Int64] {
            world.set(database: step)
            read(1, 1)
            world.pass(500)
        }
        let step = SharedTime(now: clock.now, step: clock.step)
        let length = step.lengthening(of: .seconds(30)).milliseconds
        #expect(abs(length - 603_000) <= 6)
        world.pass(30_000)
        #expect(SharedTime(now: clock.now, step: clock.step).lengthening(of: .seconds(30)) == .zero)
    }

    @Test("a difference between the two clocks is logged once, and again when it changes")
    func logs() {
        for _ in 0..<3 { read(1, 1) }
        #expect(log.lines.isEmpty)
        world.set(wall: -3_600_000)
        for _ in 0..<3 { read(1, 1) }
        #expect(log.lines.count == 1 && log.lines[0].contains("-3600"))
        world.set(wall: 3_600_000)
        for _ in 0..<3 { read(1, 1) }
        #expect(log.lines.count == 2)
    }
}
