import Foundation

/// The directory that holds what must not be lost and not be read by others.
public struct DataDirectory: Sendable {
    /// Where it is.
    public let path: String

    /// Makes it, readable by its owner alone, when there is none.
    /// - Throws: `UnusableData` when it cannot be made, or other users can use it.
    public init(_ path: String) throws {
        guard Self.make(path) else {
            let reason = String(cString: strerror(errno))
            throw UnusableData(.cannotBeMade, "the directory \(path) cannot be made: \(reason)")
        }
        try Self.restrictIfEmpty(path)
        try self.init(existing: path)
    }

    /// - Throws: `UnusableData` when there is none, or other users can use it.
    package init(existing path: String) throws {
        guard let status = try FileAccess.status(of: path) else {
            throw UnusableData(.missing, "there is no directory \(path); see --data-dir")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw UnusableData(.damaged, "\(path) is not a directory") }
        try FileAccess.check(directory: path, status)
        self.path = path
    }

    /// A directory that somebody has made for us with `mkdir` is mode 0755, and made private before anything is in it. One
    /// that others can write to may be theirs already.
    private static func restrictIfEmpty(_ path: String) throws {
        guard let status = try FileAccess.status(of: path), status.st_mode & 0o007 != 0,
            !FileAccess.isWritableByOthers(status),
            (try? FileManager.default.contentsOfDirectory(atPath: path))?.isEmpty == true
        else { return }
        chmod(path, 0o700)
    }

    /// Makes a directory and those above it. Two processes may do this at the same time.
    /// - Returns: false, with the reason in `errno`, when that is impossible.
    private static func make(_ path: String) -> Bool {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return true }
        let parent = (path as NSString).deletingLastPathComponent
        guard errno == ENOENT, !parent.isEmpty, parent != path, make(parent) else { return false }
        return mkdir(path, 0o700) == 0 || errno == EEXIST
    }

    /// Held while files are changed that several processes change.
    static let lock = "directory.lock"
    private static let patience = Duration.seconds(20)

    /// Runs `body` while no other process does so in this directory.
    package func exclusively<Value>(_ body: () throws -> Value) throws -> Value {
        let lock = try FileLock(file(Self.lock), .exclusive, within: Self.patience)
        defer { lock.release() }
        return try body()
    }

    /// The path of a file in it.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// The largest file of keys or settings that is read.
    private static let maximumSize = 4 << 20

    /// The bytes of a file that only its owner may read; nil when there is none.
    /// - Throws: `UnusableData` for every other failure: a file that cannot be looked at is not a file that is missing.
    package func readSecret(_ name: String) throws -> [UInt8]? {
        let file = file(name)
        guard try FileAccess.status(of: file) != nil else { return nil }
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw UnusableData(file, "cannot be read", errno: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw UnusableData(file, "cannot be looked at", errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw UnusableData(.damaged, "\(file) is not a plain file") }
        guard status.st_size <= Self.maximumSize else { throw UnusableData(.damaged, "\(file) is too large") }
        try FileAccess.check(file: file, status)
        return try Self.readAll(descriptor, file)
    }

    private static func readAll(_ descriptor: Int32, _ file: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw UnusableData(file, "cannot be read", errno: errno) }
            guard count > 0 else { return bytes }
            bytes += buffer.prefix(count)
        }
    }

    /// Writes a file as a whole or not at all, on disk before this returns. A file that there is keeps its mode, a new
    /// one is its owner's alone.
    package func writeSecret(_ name: String, _ bytes: [UInt8]) throws {
        try prepareSecret(name, bytes)
        try publishSecret(name)
    }

    /// The first half of `writeSecret`: everything but the file's name is on disk.
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

    /// The second half of `writeSecret`.
    package func publishSecret(_ name: String) throws {
        guard rename(file(Self.prepared(name)), file(name)) == 0 else {
            throw UnusableData(file(name), "cannot be replaced", errno: errno)
        }
        try sync()
    }

    /// Whether `prepareSecret` was followed by no `publishSecret`.
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

    /// A group that may read the old file may read the new one. Only root can keep every group and owner; a file that
    /// keeps neither is its owner's alone.
    private static func copyAccess(_ status: stat, to descriptor: Int32) {
        guard fchown(descriptor, status.st_uid, status.st_gid) == 0 || fchown(descriptor, uid_t.max, status.st_gid) == 0
        else { return }
        fchmod(descriptor, status.st_mode & 0o660)
    }

    /// A rename is on disk when its directory is.
    package func sync() throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw UnusableData(path, "cannot be opened", errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw UnusableData(path, "cannot be written", errno: errno) }
    }
}
