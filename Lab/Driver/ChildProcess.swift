import Foundation
import Synchronization

/// A program in a process session of its own, so that it can be ended together with all processes that it starts: a
/// driver that is killed alone leaves its browsers running.
final class ChildProcess: Sendable {
    private let pid: pid_t

    /// The sessions that have not been ended.
    private static let living = Mutex<Set<pid_t>>([])

    /// Kills all of them, for a lab that is interrupted.
    static func endAll() {
        for pid in living.withLock({ $0 }) { kill(-pid, SIGKILL) }
    }

    /// - Throws: `LabError` when the program is not installed.
    init(_ program: String, _ arguments: [String] = [], environment: [String: String] = [:]) throws {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETSID, a macro that Swift does not import.
        posix_spawnattr_setflags(&attributes, 0x80)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
        var pid = pid_t()
        let status = Self.withCStrings([program] + arguments) { arguments in
            Self.withCStrings(variables) { posix_spawnp(&pid, program, &actions, &attributes, arguments, $0) }
        }
        guard status == 0 else {
            throw LabError("\(program) cannot be started: \(String(cString: strerror(status)))")
        }
        self.pid = pid
        _ = Self.living.withLock { $0.insert(pid) }
    }

    private static func withCStrings<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }

    /// Sends SIGTERM to all processes of the session, and SIGKILL after two seconds.
    func end() async {
        kill(-pid, SIGTERM)
        for _ in 0..<40 {
            if waitpid(pid, nil, WNOHANG) != 0 { break }
            try? await Task.sleep(for: .milliseconds(50))
        }
        kill(-pid, SIGKILL)
        waitpid(pid, nil, WNOHANG)
        _ = Self.living.withLock { $0.remove(pid) }
    }

    /// The path of a program; nil when it is not in `PATH`.
    static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }

    /// A loopback port without a listener.
    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard status == 0 else { throw LabError("no port is free") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
