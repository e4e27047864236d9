import Foundation
import NIOCore
import Testing

@testable import CloakroomLab

@Suite struct ChildProcessTests {
    private func isAlive(_ pid: pid_t) -> Bool { kill(pid, 0) == 0 }

    @Test("a program is ended together with the processes that it has started")
    func group() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "cloakroom-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let shell = try ChildProcess("sh", ["-c", "trap '' TERM; sleep 600 & echo $! > \(file); wait; sleep 600"])
        var grandchild: pid_t?
        try await wait("the grandchild") {
            grandchild = try pid_t(String(contentsOfFile: file, encoding: .utf8).filter(\.isNumber))
            return grandchild != nil
        }
        let pid = try #require(grandchild)
        #expect(isAlive(pid))
        await shell.end()
        // An orphan: it stays a zombie until init reaps it.
        try await wait("the grandchild to be gone") {
            let state = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            return state == nil || state?.contains(") Z ") == true
        }
    }

    @Test("a program that is not installed cannot be started")
    func missing() {
        #expect(throws: LabError.self) { try ChildProcess("there-is-no-such-program") }
        #expect(ChildProcess.find("there-is-no-such-program") == nil && ChildProcess.find("sh") != nil)
    }

    @Test("a free port is above the privileged ones")
    func ports() throws {
        let ports = try (0..<5).map { _ in try ChildProcess.freePort() }
        #expect(ports.allSatisfy { 1024...65535 ~= $0 })
    }
}

@Suite struct WaitingTests {
    @Test("work and conditions that take too long fail")
    func limits() async throws {
        #expect(try await within(seconds: 5) { 7 } == 7)
        await #expect(throws: LabError.self) {
            try await within(seconds: 0.05) { try await Task.sleep(for: .seconds(60)) }
        }
        await #expect(throws: LabError.self) { try await wait("never", seconds: 0.1) { false } }
    }
}

@Suite struct MarionetteTests {
    @Test("a frame is taken when it is complete, and not before")
    func frames() throws {
        var buffer = ByteBuffer(string: "12:[1,2,null")
        #expect(try Marionette.takeFrame(&buffer) == nil)
        buffer = ByteBuffer(string: "12:[1,2,null,3]14:[\"two\",\"mo")
        #expect(try Marionette.takeFrame(&buffer) == [1, 2, .null, 3])
        #expect(try Marionette.takeFrame(&buffer) == nil)
        buffer.writeString("re\"]")
        #expect(try Marionette.takeFrame(&buffer) == ["two", "more"])
        #expect(buffer.readableBytes == 0)
    }

    @Test("a browser's error is an error, and most results are the only member of an object")
    func results() throws {
        #expect(try Marionette.result(of: [1, 1, .null, ["value": "x"]]).get() == "x")
        #expect(try Marionette.result(of: [1, 1, .null, ["a": 1, "b": 2]]).get() == ["a": 1, "b": 2])
        let wrong: [JSONValue] = [[1, 1, ["error": "no such element", "message": "m"], .null], [1, 2], "x"]
        for frame in wrong {
            #expect(throws: LabError.self) { try Marionette.result(of: frame).get() }
        }
    }
}
