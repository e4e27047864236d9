import Foundation

/// The directory that holds what must not be lost and not be read by others.
public struct DataDirectory: Sendable {
    /// Where it is.
    public let path: String

    /// Why the directory cannot be used.
    public struct Unusable: Error, CustomStringConvertible {
        /// What is wrong, with the path and what to do.
        public let description: String
    }

    /// Makes it, readable by its owner alone, when there is none.
    public init(_ path: String) throws {
        self.path = path
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Unusable(description: "\(path) cannot be made: \(error)")
        }
    }

    /// The path of a file in it.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// The bytes of a file that only its owner may read; nil when there is none.
    func readSecret(_ name: String) throws -> [UInt8]? {
        let file = file(name)
        var status = stat()
        guard stat(file, &status) == 0 else { return nil }
        guard status.st_mode & 0o077 == 0 else {
            throw Unusable(description: "\(file) can be read by other users; run: chmod 600 \(file)")
        }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw Unusable(description: "\(file) cannot be read")
        }
        return Array(data)
    }

    /// Writes a file as a whole or not at all, mode 0600, on disk before this returns.
    package func writeSecret(_ name: String, _ bytes: [UInt8]) throws {
        let file = file(name)
        let temporary = "\(file).\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Unusable(description: "\(temporary) cannot be written") }
        defer { close(descriptor) }
        guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0,
            rename(temporary, file) == 0
        else {
            unlink(temporary)
            throw Unusable(description: "\(file) cannot be written")
        }
        try syncDirectory()
    }

    private func syncDirectory() throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unusable(description: "\(path) cannot be opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Unusable(description: "\(path) cannot be written") }
    }
}
