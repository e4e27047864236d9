import CloakroomTesting
import Foundation
import Testing

@testable import CloakroomFiles

@Suite struct DataDirectoryTests {
    @Test("a directory is created with its parents, private to its owner")
    func made() throws {
        let temporary = try TemporaryDirectory()
        _ = try DataDirectory(temporary.file("a/b/c"))
        for name in ["a", "a/b", "a/b/c"] { #expect(temporary.mode(name) == 0o700, "\(name)") }
        _ = try DataDirectory(temporary.file("a/b/c"))
    }

    @Test("reading creates no directory")
    func looking() throws {
        let temporary = try TemporaryDirectory()
        let error = #expect(throws: UnusableData.self) { try DataDirectory(existing: temporary.file("a")) }
        #expect(error?.reason == .missing && temporary.names.isEmpty)
    }

    @Test(
        "a directory with data that others can access is refused",
        arguments: [
            (0o700, true), (0o750, true), (0o770, true), (0o755, false), (0o711, false), (0o702, false),
            (0o722, false), (0o777, false), (0o1777, false),
        ])
    func mode(_ mode: Int, _ isAccepted: Bool) throws {
        let temporary = try TemporaryDirectory()
        try Data().write(to: URL(filePath: temporary.file("a")))
        chmod(temporary.path, mode_t(mode))
        let error = Result { try DataDirectory(temporary.path) }.failure as? UnusableData
        #expect((error == nil) == isAccepted)
        if let error { #expect(error.reason == .permission && error.description.contains("chmod 700")) }
    }

    @Test("an empty directory that others can read becomes private, one that they can write to is refused")
    func empty() throws {
        for (mode, isAccepted) in [(0o755, true), (0o711, true), (0o702, false), (0o777, false), (0o1777, false)] {
            let temporary = try TemporaryDirectory()
            chmod(temporary.path, mode_t(mode))
            #expect((Result { try DataDirectory(temporary.path) }.failure == nil) == isAccepted)
            #expect(temporary.mode(".") == (isAccepted ? 0o700 : mode))
        }
    }

    @Test(
        "the message names a directory that cannot be created",
        arguments: ["/proc/none", "/dev/null/a", "/proc/self/a/b"])
    func impossible(_ path: String) {
        let error = #expect(throws: UnusableData.self) { try DataDirectory(path) }
        #expect(error?.reason == .cannotBeMade && error?.description.contains(path) == true)
    }

    @Test(
        "only ENOENT means that there is no file",
        arguments: [
            (ENOENT, UnusableData.Reason.missing), (EACCES, .permission), (EPERM, .permission), (EROFS, .permission),
            (EBUSY, .busy), (EAGAIN, .busy), (ENOTDIR, .disk), (ELOOP, .disk), (ENAMETOOLONG, .disk), (EIO, .disk),
            (ENOSPC, .disk), (EMFILE, .disk), (ESTALE, .disk), (ENOMEM, .disk), (EOVERFLOW, .disk),
        ])
    func reasons(_ code: Int32, _ reason: UnusableData.Reason) {
        let error = UnusableData("/a/b", "cannot be read", errno: code)
        #expect(error.reason == reason && error.description.contains("/a/b cannot be read"))
    }

    @Test("a path below a file, or one that is too long, is an error and not a missing file")
    func errors() throws {
        let temporary = try TemporaryDirectory()
        try Data().write(to: URL(filePath: temporary.file("a")))
        for path in [temporary.file("a/b"), temporary.file(String(repeating: "x", count: 300))] {
            #expect(throws: UnusableData.self) { try FileAccess.status(of: path) }
        }
        #expect(try FileAccess.status(of: temporary.file("none")) == nil)
    }
}
