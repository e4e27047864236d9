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

    /// Opens the lock file, creates it if it does not exist, and takes the lock.
    /// - Parameter patience: the time to wait for other processes; a stopped process could hold the lock for ever.
    /// - Throws: `UnusableData`, with the reason `.busy` if another process still holds the lock.
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

    /// Releases the lock before `deinit`.
    package func release() {
        flock(descriptor, LOCK_UN)
    }

    /// Changes the mode of the lock. Not atomic: another process may take the lock in between.
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
