import CloakroomCore
import CloakroomTesting
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization

@testable import CloakroomTokens

/// An issuer as a real HTTP server. The test chooses what it answers, and writes its stream of revocations.
final class TestIssuer: Sendable {
    enum Fault: Sendable, CaseIterable {
        case error, page, empty, oneBadKey, secrets, redirect, tooLarge, reset, hang, trickle
    }

    static let name = "https://issuer.example"
    static let audience = "https://api.example"

    private struct State {
        var signing: [SigningKey]
        var fault: Fault?
        var fetches = 0
        var streams: [AsyncStream<String>.Continuation] = []
        var streamRequests: [HTTPFields] = []
        var refusesStream = false
    }

    private let state: Mutex<State>

    init() throws {
        state = Mutex(State(signing: [try SigningKey.generate(.es256)]))
    }

    var fault: Fault? {
        get { state.withLock { $0.fault } }
        set { state.withLock { $0.fault = newValue } }
    }
    var refusesStream: Bool {
        get { state.withLock { $0.refusesStream } }
        set { state.withLock { $0.refusesStream = newValue } }
    }
    var fetches: Int { state.withLock { $0.fetches } }
    /// The headers of each request for the stream.
    var streamRequests: [HTTPFields] { state.withLock { $0.streamRequests } }
    /// The key that signs.
    var key: SigningKey { state.withLock { $0.signing[0] } }

    /// Signs with a new key from now on.
    /// - Parameter keepsOld: whether the old keys stay in the key set.
    func rotate(_ key: SigningKey, keepsOld: Bool = true) {
        state.withLock { $0.signing = [key] + (keepsOld ? $0.signing : []) }
    }

    /// Writes text to every open stream.
    func write(_ text: String) {
        for stream in state.withLock({ $0.streams }) { stream.yield(text) }
    }

    /// Ends every open stream.
    func endStreams() {
        for stream in state.withLock({ $0.streams }) { stream.finish() }
    }

    /// Runs `test` with the port of the running server.
    func serve(_ test: (Int) async throws -> Void) async throws {
        let (ports, port) = AsyncStream<Int>.makeStream()
        let app = Application(
            router: router(), configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                port.yield(channel.localAddress?.port ?? 0)
                port.finish()
            }, logger: Logger(label: "issuer") { _ in CapturedLog() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await app.run() }
            for await port in ports { try await test(port) }
            fault = nil
            endStreams()
            group.cancelAll()
        }
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/.well-known/jwks.json") { _, _ in
            self.state.withLock { $0.fetches += 1 }
            return try await self.keySetResponse()
        }
        router.get("/elsewhere") { _, _ in try self.keySet() }
        router.get("/service/revocations") { request, _ in
            self.state.withLock { $0.streamRequests.append(request.headers) }
            return self.refusesStream ? Response(status: .unauthorized) : self.stream()
        }
        return router
    }

    private func keySetResponse() async throws -> Response {
        switch fault {
        case nil: return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: try keySet())))
        case .error: return Response(status: .serviceUnavailable)
        case .page: return text("<!doctype html><p>Welcome")
        case .empty: return text(#"{"keys":[]}"#)
        case .oneBadKey: return text(try keySet().dropLast(2) + #",{"kid":"x","kty":"EC","crv":"P-256","x":"AA"}]}"#)
        case .secrets: return text(#"{"keys":[{"kty":"oct","kid":"s","alg":"HS256","k":"\#(Self.secret)"}]}"#)
        case .redirect: return Response(status: .found, headers: [.location: "/elsewhere"])
        case .tooLarge: return text(try keySet() + String(repeating: " ", count: 65536))
        case .reset: return Response(status: .ok, body: .init { _ in throw CancellationError() })
        case .hang: return Response(status: .ok, body: .init { _ in try await self.wait() })
        case .trickle: return Response(status: .ok, body: .init { try await self.trickle(&$0) })
        }
    }

    static let secret = String(repeating: "A", count: 43)

    private func text(_ text: some StringProtocol) -> Response {
        Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: String(text))))
    }

    func keySet() throws -> String {
        let keys = try state.withLock { $0.signing }.map { JSONValue.object(try $0.publicJWK()) }
        return String(decoding: JSONValue.object(["keys": .array(keys)]).serialized, as: UTF8.self)
    }

    /// Answers nothing, and closes the connection when the fault ends.
    private func wait() async throws {
        while fault == .hang { try await Task.sleep(for: .milliseconds(1)) }
        throw CancellationError()
    }

    /// Spaces, each of them in time, and never the key set.
    private func trickle(_ writer: inout any ResponseBodyWriter) async throws {
        while fault == .trickle {
            try await writer.write(ByteBuffer(string: " "))
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    private func stream() -> Response {
        let (texts, continuation) = AsyncStream<String>.makeStream()
        state.withLock { $0.streams.append(continuation) }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream"],
            body: .init { writer in
                try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
                for await text in texts { try await writer.write(ByteBuffer(string: text)) }
                try await writer.finish(nil)
            })
    }
}
