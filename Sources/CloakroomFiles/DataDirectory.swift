import Foundation

/// The directory of keys and databases, which must not be lost and which other users must not read.
public struct DataDirectory: Sendable {
    /// The path, as the caller gave it.
    public let path: String

    /// Creates the directory with mode 0700 if it does not exist.
    /// - Throws: `UnusableData` if it cannot be created, or if other users can use it.
    public init(_ path: String) throws {
        guard Self.make(path) else {
            let reason = String(cString: strerror(errno))
            throw UnusableData(.cannotBeMade, "the directory \(path) cannot be made: \(reason)")
        }
        try Self.restrictIfEmpty(path)
        try self.init(existing: path)
    }

    /// - Throws: `UnusableData` if it does not exist, or if other users can use it.
    package init(existing path: String) throws {
        guard let status = try FileAccess.status(of: path) else {
            throw UnusableData(.missing, "there is no directory \(path); see --data-dir")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw UnusableData(.damaged, "\(path) is not a directory") }
        try FileAccess.check(directory: path, status)
        self.path = path
    }

    /// Sets the mode 0700 on an empty directory: an operator who runs `mkdir` gets mode 0755. Does not change a
    /// directory that other users can write to, because it may already be under their control.
    private static func restrictIfEmpty(_ path: String) throws {
        guard let status = try FileAccess.status(of: path), status.st_mode & 0o007 != 0,
            !FileAccess.isWritableByOthers(status),
            (try? FileManager.default.contentsOfDirectory(atPath: path))?.isEmpty == true
        else { return }
        chmod(path, 0o700)
    }

    /// Creates a directory and its parents. Two processes may do this at the same time.
    /// - Returns: false on failure, with the reason in `errno`.
    private static func make(_ path: String) -> Bool {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return true }
        let parent = (path as NSString).deletingLastPathComponent
        guard errno == ENOENT, !parent.isEmpty, parent != path, make(parent) else { return false }
        return mkdir(path, 0o700) == 0 || errno == EEXIST
    }

    /// The lock file that a process locks while it changes files that other processes also change.
    static let lock = "directory.lock"
    private static let patience = Duration.seconds(20)

    /// Runs `body` while no other process does so in this directory.
    package func exclusively<Value>(_ body: () throws -> Value) throws -> Value {
        let lock = try FileLock(file(Self.lock), .exclusive, within: Self.patience)
        defer { lock.release() }
        return try body()
    }

    /// The path of a file in the directory.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// The bytes of a file that other users must not be able to read; nil if it does not exist.
    /// - Throws: `UnusableData` for every other failure: a file without access is not a missing file.
    package func readSecret(_ name: String) throws -> [UInt8]? {
        try SecretFile.read(file(name))
    }

    /// Writes a file atomically and durably: the bytes are on disk when this returns. An existing file keeps its owner,
    /// group and mode where the system permits; a new file gets mode 0600.
    package func writeSecret(_ name: String, _ bytes: [UInt8]) throws {
        try prepareSecret(name, bytes)
        try publishSecret(name)
    }

    /// The first half of `writeSecret`: the bytes are on disk under a temporary name.
    package func prepareSecret(_ name: String, _ bytes: [UInt8]) throws {
        let prepared = file(Self.prepared(name))
        guard unlink(prepared) == 0 || errno == ENOENT else {
            throw UnusableData(prepared, "cannot be replaced", errno: errno)
        }
        let descriptor = open(prepared, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw UnusableData(prepared, "cannot be made", errno: errno) }
        defer { close(descriptor) }
        do {
            try Self.writeAll(bytes, descriptor, prepared)
            if let status = try FileAccess.status(of: file(name)) { Self.copyAccess(status, to: descriptor) }
            guard fsync(descriptor) == 0 else { throw UnusableData(prepared, "cannot be written", errno: errno) }
        } catch {
            unlink(prepared)
            throw error
        }
        try sync()
    }

    /// The second half of `writeSecret`: renames the temporary file.
    package func publishSecret(_ name: String) throws {
        guard rename(file(Self.prepared(name)), file(name)) == 0 else {
            throw UnusableData(file(name), "cannot be replaced", errno: errno)
        }
        try sync()
    }

    /// Whether a file of `prepareSecret` waits for `publishSecret`.
    package func isPrepared(_ name: String) throws -> Bool {
        try FileAccess.status(of: file(Self.prepared(name))) != nil
    }

    package func discardPrepared(_ name: String) {
        unlink(file(Self.prepared(name)))
    }

    private static func prepared(_ name: String) -> String { name + ".new" }

    private static func writeAll(_ bytes: [UInt8], _ descriptor: Int32, _ file: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw UnusableData(file, "cannot be written", errno: errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// Gives the new file the owner, group and mode of the old one. Only root can set every owner and group; if neither
    /// can be set, the file keeps mode 0600.
    private static func copyAccess(_ status: stat, to descriptor: Int32) {
        guard fchown(descriptor, status.st_uid, status.st_gid) == 0 || fchown(descriptor, uid_t.max, status.st_gid) == 0
        else { return }
        fchmod(descriptor, status.st_mode & 0o660)
    }

    /// Flushes the directory: a rename is durable only after that.
    package func sync() throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw UnusableData(path, "cannot be opened", errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw UnusableData(path, "cannot be written", errno: errno) }
    }
}
