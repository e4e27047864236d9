import Foundation

/// Why a directory, a file of keys or a database cannot be used, as a sentence with the path and what to do.
public struct UnusableData: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is: the command makes an exit code of it.
    package enum Reason: Hashable, Sendable, CaseIterable {
        /// There is nothing at the path.
        case missing
        /// A directory or file cannot be made.
        case cannotBeMade
        /// The file mode lets other users in, or the system keeps this process out.
        case permission
        /// The bytes are not what they should be, or of another version.
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

    /// What the system said about a path.
    /// - Parameter what: what was tried, such as `cannot be read`.
    package init(_ path: String, _ what: String, errno code: Int32) {
        self.init(Self.reason(code), "\(path) \(what): \(String(cString: strerror(code)))")
    }

    /// Only `ENOENT` means that there is nothing. Every other failure to look says nothing about what is there.
    private static func reason(_ code: Int32) -> Reason {
        switch code {
        case ENOENT: .missing
        case EACCES, EPERM, EROFS: .permission
        case EAGAIN, EBUSY: .busy
        default: .disk
        }
    }
}
