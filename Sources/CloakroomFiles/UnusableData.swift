import Foundation

/// Why a directory, a file of keys or a database cannot be used, as a sentence with the path and what to do.
public struct UnusableData: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure; the command derives its exit code from it.
    package enum Reason: Hashable, Sendable, CaseIterable {
        /// There is nothing at the path.
        case missing
        /// A directory or file cannot be made.
        case cannotBeMade
        /// The file mode gives other users access, or the system denies this process access.
        case permission
        /// The content is malformed, or of another version.
        case damaged
        /// Another process uses it.
        case busy
        /// The disk failed or is full.
        case disk
    }

    package let reason: Reason
    /// What is wrong, with the path and what to do.
    public let description: String

    package init(_ reason: Reason, _ description: String) {
        self.reason = reason
        self.description = description
    }

    /// Describes a failed system call on a path.
    /// - Parameter what: the failed operation, such as `cannot be read`.
    package init(_ path: String, _ what: String, errno code: Int32) {
        let reason = Self.reason(code)
        let remedy = reason == .permission ? FileAccess.remedyForOwner(of: path).map { "; \($0)" } : nil
        self.init(reason, "\(path) \(what): \(String(cString: strerror(code)))\(remedy ?? "")")
    }

    /// Only `ENOENT` means that the file does not exist. After any other error it may exist.
    private static func reason(_ code: Int32) -> Reason {
        switch code {
        case ENOENT: .missing
        case EACCES, EPERM, EROFS: .permission
        case EAGAIN, EBUSY: .busy
        default: .disk
        }
    }
}
