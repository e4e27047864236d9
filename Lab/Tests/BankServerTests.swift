import CloakroomMiddleware
import HTTPTypes
import Hummingbird
import NIOCore
import NIOPosix
import Testing

@testable import CloakroomLab

@Suite struct BankServerTests {
    private func server() async throws -> LocalServer {
        let router = Router(context: BasicSessionRequestContext.self)
        router.get("/live") { request, _ in try Response.socket("hello", for: request) }
        router.post("/echo") { request, _ in
            var response = Response.answer(["said": .string(try await LaxBody(request)["said"])])
            response.headers.append(HTTPField(name: .setCookie, value: "a=b=c; Path=/"))
            response.headers.append(HTTPField(name: .setCookie, value: "d=e"))
            return response
        }
        return try await LocalServer(router)
    }

    @Test("a socket is opened with the response of RFC 6455, sends its message, and closes")
    func socket() async throws {
        let server = try await server()
        defer { server.end() }
        let opening = [
            ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ]
        let bytes = try await raw(server.port, "GET /live HTTP/1.1", opening)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 101 "))
        #expect(text.lowercased().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="))
        #expect(Array(bytes.suffix(11)) == [0x81, 5] + Array("hello".utf8) + [0x88, 2, 3, 0xE8])
        #expect(try await LocalHTTP.send("GET", port: server.port, "/live").status == 426)
    }

    @Test(
        "bodies are read as JSON or as a form, whatever the Content-Type is",
        arguments: [
            (#"{"said":"a b"}"#, "a b"), (#"{"said":7}"#, "7"), ("said=a+b%21&x", "a b!"), ("x=1", ""), ("", ""),
            ("{", ""),
        ])
    func bodies(_ body: String, _ said: String) async throws {
        let server = try await server()
        defer { server.end() }
        let reply = try await LocalHTTP.send("POST", port: server.port, "/echo", body: Array(body.utf8))
        #expect(reply.status == 200 && reply.text == "{\"said\":\"\(said)\"}")
        #expect(reply.cookies.map(\.name) == ["a", "d"] && reply.cookies.map(\.value) == ["b=c", "e"])
    }

    /// Everything that a server sends until it closes the connection.
    private func raw(_ port: Int, _ line: String, _ headers: [(String, String)]) async throws -> [UInt8] {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let fields = headers.map { "\($0.0): \($0.1)\r\n" }.joined()
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: "\(line)\r\nHost: localhost\r\n\(fields)\r\n"))
            var bytes: [UInt8] = []
            for try await var part in inbound {
                bytes += part.readBytes(length: part.readableBytes) ?? []
                // The server waits for the client's close frame and keeps the connection open.
                if bytes.suffix(4) == [0x88, 2, 3, 0xE8] { break }
            }
            return bytes
        }
    }
}
