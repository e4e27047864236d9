import Synchronization

/// Which script of an attacker each host's page loads.
final class Injections: Sendable {
    private let scripts = Mutex<[String: String]>([:])

    subscript(host: String) -> String? {
        get { scripts.withLock { $0[host] } }
        set { scripts.withLock { $0[host] = newValue } }
    }
}
