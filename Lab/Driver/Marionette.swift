import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// Firefox over its own protocol, JSON arrays with a length in front, over TCP: Debian ships no geckodriver.
final class Marionette: BrowserDriver {
    private struct Call: Sendable {
        let name: String
        let parameters: JSONObject
        let answer: CheckedContinuation<JSONValue, any Error>
    }

    private let process: ChildProcess
    private let profile: URL
    private let calls: AsyncStream<Call>.Continuation
    private let conversation: Task<Void, Never>
    private let answered = Mutex("unknown")
    var version: String { answered.withLock { $0 } }

    private static let preferences: [String: JSONValue] = [
        "browser.startup.homepage": "about:blank", "app.update.auto": false,
        "datareporting.policy.dataSubmissionEnabled": false, "network.captive-portal-service.enabled": false,
        "network.connectivity-service.enabled": false, "signon.rememberSignons": false,
    ]

    init(_ program: String, capabilities: JSONObject) async throws {
        let port = try ChildProcess.freePort()
        profile = FileManager.default.temporaryDirectory.appending(path: "cloakroom-lab-\(UUID())")
        try FileManager.default.createDirectory(at: profile, withIntermediateDirectories: true)
        let preferences = Self.preferences.merging(["marionette.port": .integer(Int64(port))]) { $1 }
        let lines = preferences.map { name, value in
            "user_pref(\"\(name)\", \(String(decoding: value.serialized, as: UTF8.self)));"
        }
        try Data(lines.joined(separator: "\n").utf8).write(to: profile.appending(path: "user.js"))
        process = try ChildProcess(program, ["--headless", "--marionette", "--no-remote", "-profile", profile.path])
        let (stream, calls) = AsyncStream.makeStream(of: Call.self)
        self.calls = calls
        do {
            let channel = try await Self.connect(port)
            conversation = Task { await Self.converse(channel, stream) }
        } catch {
            await process.end()
            throw error
        }
        do {
            let answer = try await call("WebDriver:NewSession", capabilities).objectValue
            let version = answer?["capabilities"]?.objectValue?["browserVersion"]?.stringValue
            answered.withLock { $0 = version ?? $0 }
        } catch {
            await end()
            throw error
        }
    }

    private static func connect(_ port: Int) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        for _ in 0..<600 {
            let channel = try? await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connect(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            if let channel { return channel }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw LabError("Firefox does not accept connections")
    }

    /// Sends the calls one after another, each after the response to the one before.
    private static func converse(
        _ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ calls: AsyncStream<Call>
    ) async {
        try? await channel.executeThenClose { inbound, outbound in
            var iterator = inbound.makeAsyncIterator()
            var buffer = ByteBuffer()
            var count: Int64 = 0
            func frame() async throws -> JSONValue {
                while true {
                    if let frame = try takeFrame(&buffer) { return frame }
                    guard var more = try await iterator.next() else { throw LabError("Firefox closed the connection") }
                    buffer.writeBuffer(&more)
                }
            }
            _ = try await frame()
            for await call in calls {
                count += 1
                let message = JSONValue.array([0, .integer(count), .string(call.name), .object(call.parameters)])
                let bytes = message.serialized
                do {
                    try await outbound.write(ByteBuffer(bytes: Array("\(bytes.count):".utf8) + bytes))
                    call.answer.resume(with: result(of: try await frame()))
                } catch {
                    call.answer.resume(throwing: error)
                }
            }
        }
    }

    static func takeFrame(_ buffer: inout ByteBuffer) throws -> JSONValue? {
        let view = buffer.readableBytesView
        guard let colon = view.firstIndex(of: UInt8(ascii: ":")),
            let length = Int(String(decoding: view[..<colon], as: UTF8.self)),
            view.distance(from: colon, to: view.endIndex) > length
        else { return nil }
        buffer.moveReaderIndex(to: colon + 1)
        return try JSONValue(parsing: buffer.readBytes(length: length) ?? [])
    }

    static func result(of frame: JSONValue) -> Result<JSONValue, any Error> {
        guard let parts = frame.arrayValue, parts.count == 4 else { return .failure(LabError("not a response")) }
        if let error = parts[2].objectValue {
            return .failure(
                LabError("\(error["error"]?.stringValue ?? ""): \(error["message"]?.stringValue ?? "")"))
        }
        // Most results are the only member of an object.
        if let object = parts[3].objectValue, object.count == 1, let value = object["value"] {
            return .success(value)
        }
        return .success(parts[3])
    }

    private func call(_ name: String, _ parameters: JSONObject) async throws -> JSONValue {
        try await withCheckedThrowingContinuation { continuation in
            let result = calls.yield(Call(name: name, parameters: parameters, answer: continuation))
            if case .terminated = result { continuation.resume(throwing: LabError("Firefox was ended")) }
        }
    }

    func send(_ command: DriverCommand, _ parameters: JSONObject) async throws -> JSONValue {
        try await call(command.rawValue, parameters)
    }

    func end() async {
        calls.finish()
        await process.end()
        await conversation.value
        try? FileManager.default.removeItem(at: profile)
    }
}
