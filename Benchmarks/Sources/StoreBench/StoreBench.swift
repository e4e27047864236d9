import CloakroomPostgres
import CloakroomSQLite
import Foundation

/// Measures durable renewals per second for several numbers of clients: Cloakroom's store, one transaction per
/// renewal, and the C library's limit, in turn, over several rounds.
@main
struct StoreBench {
    static let sessions = 20_000
    static let clients = [1, 16, 64, 256]

    /// - Parameter arguments: a directory on the disk to measure, seconds for each turn, rounds; or `postgres`, the
    ///   address of a database, seconds, clients, for one turn.
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.count == 4, arguments[0] == "postgres", let seconds = Double(arguments[2]),
            let clients = Int(arguments[3])
        {
            return try await measurePostgres(arguments[1], clients: clients, seconds: seconds)
        }
        guard arguments.count == 3, let seconds = Double(arguments[1]), let rounds = Int(arguments[2]) else {
            print("usage: StoreBench DIRECTORY SECONDS ROUNDS | postgres ADDRESS SECONDS CLIENTS")
            exit(64)
        }
        try await measureSQLite(in: arguments[0], seconds: seconds, rounds: rounds)
    }

    /// Prints the figures of one turn: what runs in turn with it, the harness knows. In no time, it makes one session, of
    /// which the harness makes copies: each login is a transaction of its own.
    private static func measurePostgres(_ address: String, clients: Int, seconds: Double) async throws {
        let store = try PostgresStore(url: address)
        if seconds == 0 {
            try await Ours.fill(store, sessions: 0..<1)
        } else {
            let turn = try await turn(Ours(store: store), clients: clients, seconds: seconds)
            print(String(format: "%.0f %.3f %.3f %.1f", turn.rate, turn.median, turn.p99, turn.processor))
        }
        fflush(nil)
        // Not through the exit handlers of libraries that the store's threads still use.
        _exit(0)
    }

    private static func measureSQLite(in directory: String, seconds: Double, rounds: Int) async throws {
        let paths = ["ours", "one", "raw"].map { "\(directory)/\($0).sqlite" }
        let ours = Ours(store: try SQLiteStore(path: paths[0]))
        try await Ours.fill(ours.store, sessions: 0..<sessions)
        for path in paths.dropFirst() { try await Ours.fill(SQLiteStore(path: path), sessions: 0..<sessions) }
        let one = try OnePerRenewal(path: paths[1])
        let raw = try RawSQLite(path: paths[2])
        print("round\tclients\tflushes/s\twhat\trenewals/s\tp50 ms\tp99 ms\tCPU us")
        for round in 1...rounds {
            for count in clients {
                let flushes = try Disk.flushes(in: directory, seconds: min(1, seconds))
                func show(_ name: String, _ rest: String) {
                    print("\(round)\t\(count)\t\(Int(flushes))\t\(name)\t\(rest)")
                }
                for contestant in [ours, one] as [any Contestant] {
                    let turn = try await turn(contestant, clients: count, seconds: seconds)
                    show(
                        contestant.name,
                        String(
                            format: "%.0f\t%.2f\t%.2f\t%.0f", turn.rate, turn.median, turn.p99, turn.processor))
                }
                let limit = try raw.rate(batch: count, sessions: sessions, seconds: seconds)
                show("raw sqlite3, batches of \(count)", String(format: "%.0f\t\t\t", limit))
            }
        }
    }

    private static func turn(_ contestant: any Contestant, clients: Int, seconds: Double) async throws -> Turn {
        let began = ContinuousClock.now
        let processor = processorSeconds
        let times = try await withThrowingTaskGroup(of: [Double].self) { group in
            for client in 0..<clients {
                group.addTask {
                    var times: [Double] = []
                    var index = client
                    while ContinuousClock.now < began + .seconds(seconds) {
                        let start = ContinuousClock.now
                        try await contestant.renew(index % sessions)
                        times.append(start.duration(to: .now).seconds * 1000)
                        index += clients
                    }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }.sorted()
        }
        let count = Double(times.count)
        return Turn(
            rate: count / began.duration(to: .now).seconds, median: times[times.count / 2],
            p99: times[times.count * 99 / 100], processor: (processorSeconds - processor) / count * 1e6)
    }

    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
