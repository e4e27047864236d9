import Foundation

/// Reads files that other users must not be able to read.
package enum SecretFile {
    /// The maximum size of a file of keys or settings, in bytes.
    private static let maximumSize = 4 << 20

    /// - Parameter isGuarded: whether something other than the mode of the file keeps other users away.
    /// - Returns: nil if the file does not exist.
    /// - Throws: `UnusableData` for every other failure: a file without access is not a missing file.
    package static func read(_ file: String, isGuarded: Bool = false) throws -> [UInt8]? {
        guard try FileAccess.status(of: file) != nil else { return nil }
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw UnusableData(file, "cannot be read", errno: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw UnusableData(file, "cannot be looked at", errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw UnusableData(.damaged, "\(file) is not a plain file") }
        guard status.st_size <= maximumSize else { throw UnusableData(.damaged, "\(file) is too large") }
        if !isGuarded { try FileAccess.check(file: file, status) }
        return try readAll(descriptor, file)
    }

    private static func readAll(_ descriptor: Int32, _ file: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw UnusableData(file, "cannot be read", errno: errno) }
            guard count > 0 else { return bytes }
            bytes += buffer.prefix(count)
        }
    }
}
