import CloakroomCore
import CloakroomTesting
import CloakroomTokens
import Foundation
import Synchronization
import Testing

@testable import CloakroomFiles
@testable import CloakroomSessions

@Suite struct KeyFilesTests {
    private let temporary: TemporaryDirectory
    private let time = TestEnvironment()
    private let files: KeyFiles
    private static let names = [KeyFiles.signingKeys, KeyFiles.refreshSecrets]

    init() throws {
        temporary = try TemporaryDirectory()
        files = KeyFiles(directory: try DataDirectory(temporary.path), environment: time.environment)
    }

    @Test("keys are created once with mode 0600, and read back unchanged")
    func made() throws {
        #expect(try files.read() == nil)
        let keys = try files.open(.es256)
        for name in Self.names { #expect(temporary.mode(name) == 0o600, "\(name)") }
        let again = try files.open(.es256)
        #expect(keys.signing.map(\.key.id) == again.signing.map(\.key.id))
        #expect(keys.refresh.map(\.key.secret) == again.refresh.map(\.key.secret))
        #expect(temporary.names == Set(Self.names + [DataDirectory.lock]))
    }

    @Test(
        "a start uses the algorithm of the keys unless another is set",
        arguments: [SignatureAlgorithm.es256, .ed25519], [nil, SignatureAlgorithm.es256, .ed25519])
    func algorithm(_ first: SignatureAlgorithm, _ set: SignatureAlgorithm?) throws {
        let keys = try files.open(first)
        let again = try files.open(set)
        #expect(again.algorithm == set ?? first)
        #expect(again.signing.count == (set ?? first == first ? 1 : 2))
        #expect(again.signingKey(at: time.now).id == keys.signing[0].key.id, "the new key is published first")
    }

    /// The files that a process leaves when it is killed during the first start, in the order in which it writes
    /// them.
    enum Leftover: CaseIterable {
        case lock, partOfOne, one, both, oneInPlace, bothInPlace
    }

    @Test("a first start that was killed at any point is finished by the next one", arguments: Leftover.allCases)
    func killed(_ leftover: Leftover) throws {
        let earlier = try leave(leftover)
        let keys = try files.open(nil)
        #expect(temporary.names == Set(Self.names + [DataDirectory.lock]))
        if let earlier { #expect(keys.refresh[0].key.secret == earlier.refresh[0].key.secret) }
        #expect(try files.open(nil).signing[0].key.id == keys.signing[0].key.id)
    }

    /// - Returns: the keys that the next start must return, if the files decide them.
    private func leave(_ leftover: Leftover) throws -> IssuerKeys? {
        let keys = try IssuerKeys.first(.es256, at: time.now, random: time.environment.random)
        let (refresh, signing) = (KeyFileFormat.refreshFile(keys), KeyFileFormat.signingFile(keys))
        let directory = files.directory
        if leftover == .lock {
            try Data().write(to: URL(filePath: directory.file(DataDirectory.lock)))
            return nil
        }
        if leftover == .partOfOne {
            try directory.prepareSecret(KeyFiles.refreshSecrets, Array(refresh.prefix(20)))
            return nil
        }
        try directory.prepareSecret(KeyFiles.refreshSecrets, refresh)
        if leftover == .one { return nil }
        try directory.prepareSecret(KeyFiles.signingKeys, signing)
        if leftover == .both { return nil }
        try directory.publishSecret(KeyFiles.refreshSecrets)
        if leftover == .bothInPlace { try directory.publishSecret(KeyFiles.signingKeys) }
        return keys
    }

    @Test("an interrupted change leaves the keys as they were")
    func interruptedChange() throws {
        let keys = try files.open(nil)
        try files.directory.prepareSecret(KeyFiles.signingKeys, Array("{\"keys\":".utf8))
        #expect(try files.open(nil).signing.map(\.key.id) == keys.signing.map(\.key.id))
        _ = try files.update { try #require($0) }
        #expect(temporary.names == Set(Self.names + [DataDirectory.lock]))
    }

    @Test("keys on a read-only mount are used as long as no change is due")
    func readOnly() throws {
        let keys = try files.open(nil)
        // A path on which no process can lock, not even root.
        try FileManager.default.removeItem(atPath: temporary.file(DataDirectory.lock))
        #expect(mkdir(temporary.file(DataDirectory.lock), 0o700) == 0)
        #expect(try files.open(.es256).signing[0].key.id == keys.signing[0].key.id)
        #expect(throws: UnusableData.self) { try files.open(.ed25519) }
    }

    @Test("a start with only one of the two files is refused, and creates no new one", arguments: names)
    func half(_ name: String) throws {
        _ = try files.open(nil)
        try FileManager.default.removeItem(atPath: temporary.file(name))
        #expect(throws: UnusableData.self) { try files.open(nil) }
        #expect(throws: UnusableData.self) { try files.read() }
        #expect(!temporary.names.contains(name))
    }

    @Test(
        "a file that is not a key file is refused and not replaced", arguments: names,
        ["", "{}", "[]", "{\"keys\":[]}", "{\"keys\":[7],\"removed\":[],\"longest_session\":0}", "{\"keys\":["])
    func damaged(_ name: String, _ text: String) throws {
        _ = try files.open(nil)
        try files.directory.writeSecret(name, Array(text.utf8))
        let error = #expect(throws: UnusableData.self) { try files.open(nil) }
        #expect(error?.reason == .damaged)
        #expect(try files.directory.readSecret(name) == Array(text.utf8))
    }

    /// The objects besides a file that a path can have.
    enum Obstacle: CaseIterable {
        case danglingLink, loop, directory, pipe
    }

    @Test("a path that cannot be read is not treated as a missing file", arguments: Obstacle.allCases, names)
    func obstacle(_ obstacle: Obstacle, _ name: String) throws {
        let path = temporary.file(name)
        switch obstacle {
        case .danglingLink: try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/none")
        case .loop: try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
        case .directory: #expect(mkdir(path, 0o700) == 0)
        case .pipe: #expect(mkfifo(path, 0o600) == 0)
        }
        #expect(throws: UnusableData.self) { try files.open(nil) }
        #expect(temporary.names.subtracting([DataDirectory.lock]) == [name], "no file was created or replaced")
    }

    @Test("a key file behind a link is read: that is how Kubernetes mounts secrets")
    func link() throws {
        let keys = try files.open(nil)
        for name in Self.names {
            try FileManager.default.moveItem(atPath: temporary.file(name), toPath: temporary.file("..\(name)"))
            try FileManager.default.createSymbolicLink(
                atPath: temporary.file(name), withDestinationPath: "..\(name)")
        }
        #expect(try files.read()?.signing[0].key.id == keys.signing[0].key.id)
    }

    @Test(
        "a key file may be accessible to its owner and the process's own group only", arguments: names,
        [
            (0o600, true), (0o400, true), (0o640, true), (0o660, true), (0o440, true), (0o604, false),
            (0o602, false), (0o601, false), (0o644, false), (0o666, false), (0o777, false),
        ])
    func mode(_ name: String, _ row: (mode: Int, isAccepted: Bool)) throws {
        _ = try files.open(nil)
        chmod(temporary.file(name), mode_t(row.mode))
        let error = Result { try files.open(nil) }.failure as? UnusableData
        #expect((error == nil) == row.isAccepted)
        if let error { #expect(error.reason == .permission && error.description.contains("chmod 600")) }
    }

    @Test("access by another group is refused", .enabled(if: geteuid() == 0, "only root can give a file to a group"))
    func group() throws {
        _ = try files.open(nil)
        let path = temporary.file(KeyFiles.signingKeys)
        #expect(chown(path, uid_t.max, 54321) == 0 && chmod(path, 0o640) == 0)
        #expect(throws: UnusableData.self) { try files.open(nil) }
        #expect(chmod(path, 0o600) == 0)
        _ = try files.open(nil)
    }

    @Test("a change keeps the mode of its file")
    func keepsMode() throws {
        _ = try files.open(nil)
        chmod(temporary.file(KeyFiles.signingKeys), 0o640)
        _ = try files.update { [time] in try #require($0).rotated(from: time.now, at: time.now) }
        #expect(temporary.mode(KeyFiles.signingKeys) == 0o640)
    }

    @Test("a change is detected by content, also with the same file, size and time", arguments: names)
    func content(_ name: String) throws {
        _ = try files.open(nil)
        guard case .read(_, let revision) = try files.read(since: nil) else { throw TestFailure("no keys") }
        guard case .unchanged = try files.read(since: revision) else { throw TestFailure("changed") }
        let path = temporary.file(name)
        var status = stat()
        #expect(stat(path, &status) == 0)
        let other = try TemporaryDirectory()
        _ = try KeyFiles(directory: DataDirectory(other.path)).open(nil)
        let bytes = try #require(FileManager.default.contents(atPath: other.file(name)))
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: bytes)
        try handle.close()
        #expect(utimensat(AT_FDCWD, path, [status.st_atim, status.st_mtim], 0) == 0)
        guard case .read = try files.read(since: revision) else { throw TestFailure("a change was missed") }
    }

    @Test("eight processes on a new directory have the same keys, and no change of theirs is lost")
    func parallel() async throws {
        let path = temporary.path
        let secrets = try await withThrowingTaskGroup(of: Secret.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let files = KeyFiles(directory: try DataDirectory(path))
                    let keys = try files.open(.es256)
                    let now = Environment.system.now()
                    _ = try files.update { try #require($0).rotated(from: now, at: now) }
                    return keys.refresh[0].key.secret
                }
            }
            return try await group.reduce(into: Set<Secret>()) { $0.insert($1) }
        }
        #expect(secrets.count == 1)
        #expect(try files.read()?.signing.count == 9)
    }

    @Test("the ids of removed keys are kept in the file, the newest hundred")
    func removed() throws {
        let before = try files.open(nil)
        let ids = (0..<130).map { "old\($0)" }
        _ = try files.update { keys in
            let keys = try #require(keys)
            return try IssuerKeys(signing: keys.signing, refresh: keys.refresh, removed: ids)
        }
        let later = time.now + .seconds(1)
        _ = try files.update { try #require($0).rotated(from: later, at: later) }
        _ = try files.update { try #require($0).removing(before.signing[0].key.id, at: later) }
        let removed = try #require(try files.read()).removed
        #expect(removed == Array(ids.suffix(99)) + [before.signing[0].key.id])
        #expect(try files.read()?.verifierKeys.removed == Set(removed))
    }

    @Test("the ids of keys never begin with a hyphen, which a command would take for an option")
    func hyphen() throws {
        for _ in 0..<300 { #expect(!(try SigningKey.generate(.ed25519).id.hasPrefix("-"))) }
    }

    @Test("a lock of another process is waited for, and then refused as busy")
    func lock() throws {
        let path = temporary.file("a.lock")
        let first = try FileLock(path, .exclusive, within: .zero)
        let error = #expect(throws: UnusableData.self) { try FileLock(path, .shared, within: .milliseconds(20)) }
        #expect(error?.reason == .busy)
        try first.take(.shared, within: .zero)
        _ = try FileLock(path, .shared, within: .zero)
        #expect(throws: UnusableData.self) { try FileLock(path, .exclusive, within: .zero) }
        withExtendedLifetime(first) {}
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension Result {
    var failure: Failure? {
        if case .failure(let error) = self { return error }
        return nil
    }
}
