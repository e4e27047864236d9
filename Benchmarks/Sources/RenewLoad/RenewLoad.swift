import Dispatch
import Foundation
import Synchronization

/// Renews sessions over HTTP as fast as the given number of clients can, and prints one line of JSON with the result.
@main
struct RenewLoad {
    /// - Parameter arguments: port, `cookie` or `json`, clients, seconds, a file with one credential per line.
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count == 5, let port = UInt16(arguments[0]), let delivery = Delivery(rawValue: arguments[1]),
            let clients = Int(arguments[2]), clients > 0, let seconds = Double(arguments[3])
        else {
            print("usage: RenewLoad PORT cookie|json CLIENTS SECONDS CREDENTIALS_FILE")
            exit(64)
        }
        let credentials = try Data(contentsOf: URL(fileURLWithPath: arguments[4]))
            .split(separator: UInt8(ascii: "\n")).map { Array($0) }
        guard credentials.count >= clients else {
            print("RenewLoad: \(clients) clients need as many lines, there are \(credentials.count)")
            exit(65)
        }
        let began = Clock.now
        let total = run(
            clients, sharing: credentials, through: Endpoint(port: port, delivery: delivery),
            until: began + Int64(seconds * 1e9))
        print(total.json(seconds: Double(Clock.now - began) / 1e9))
    }

    /// Distributes the credentials in turn, so that each client has sessions of its own.
    private static func run(
        _ clients: Int, sharing credentials: [[UInt8]], through endpoint: Endpoint, until deadline: Int64
    ) -> Tally {
        let total = Total()
        let done = DispatchGroup()
        for number in 0..<clients {
            let own = stride(from: number, to: credentials.count, by: clients).map { credentials[$0] }
            done.enter()
            Thread.detachNewThread {
                var client = Client(endpoint: endpoint, credentials: own)
                total.add(client.run(until: deadline))
                done.leave()
            }
        }
        done.wait()
        return total.value
    }
}

/// The sum of all clients' results.
private final class Total: Sendable {
    private let sum = Mutex(Tally())

    var value: Tally { sum.withLock { $0 } }

    func add(_ tally: Tally) { sum.withLock { $0.add(tally) } }
}
