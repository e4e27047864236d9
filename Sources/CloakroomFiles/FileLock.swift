import Foundation

/// A lock between processes, on a file that is never deleted. The system releases it when the process ends, however it
/// ends.
package final class FileLock: Sendable {
    package enum Mode: Sendable {
        case shared
        case exclusive
    }

    private let descriptor: Int32
    private let path: String

    /// Opens the lock's file, made when there is none, and takes the lock.
    /// - Parameter patience: how long to wait for other processes; a stopped one could keep it for ever.
    /// - Throws: `UnusableData`, of the reason `.busy` when the lock was not to be had.
    package init(_ path: String, _ mode: Mode, within patience: Duration) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw UnusableData(path, "cannot be opened", errno: errno) }
        // `deinit` closes the descriptor when this throws: every property has its value.
        try take(mode, within: patience)
    }

    deinit {
        close(descriptor)
    }

    /// Gives the lock back before the value goes.
    package func release() {
        flock(descriptor, LOCK_UN)
    }

    /// Exchanges the lock for one of another mode. In between another process may have it.
    package func take(_ mode: Mode, within patience: Duration) throws {
        let operation = (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB
        let deadline = ContinuousClock.now + patience
        while flock(descriptor, operation) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                throw UnusableData(path, "cannot be locked", errno: errno)
            }
            guard ContinuousClock.now < deadline else {
                throw UnusableData(.busy, "\(path) is locked by another process")
            }
            usleep(5000)
        }
    }
}
