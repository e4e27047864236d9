import NIOCore
import NIOHTTP1
import NIOPosix

/// An HTTP/1.1 client for servers on this machine, with a connection for each request. Drivers use it to command
/// browsers, thieves to send requests to a bank.
enum LocalHTTP {
    struct Reply: Sendable {
        var status = 0
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []

        var text: String { String(decoding: body, as: UTF8.self) }

        /// The body, if it is a JSON object.
        var json: JSONObject? { (try? JSONValue(parsing: body))?.objectValue }

        /// The cookies of all `Set-Cookie` headers.
        var cookies: [(name: String, value: String)] {
            headers.filter { $0.name.lowercased() == "set-cookie" }.map { field in
                let pair = field.value.prefix { $0 != ";" }
                return (String(pair.prefix { $0 != "=" }), String(pair.drop { $0 != "=" }.dropFirst()))
            }
        }
    }

    /// - Throws: the socket's error, or `LabError` when the response is incomplete.
    static func send(
        _ method: String, port: Int, _ path: String, headers: [(String, String)] = [], body: [UInt8] = []
    ) async throws -> Reply {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                        wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var fields = HTTPHeaders(headers)
            if !fields.contains(name: "Host") { fields.add(name: "Host", value: "127.0.0.1:\(port)") }
            fields.add(name: "Connection", value: "close")
            if !body.isEmpty || method == "POST" { fields.add(name: "Content-Length", value: "\(body.count)") }
            let head = HTTPRequestHead(
                version: .http1_1, method: HTTPMethod(rawValue: method), uri: path, headers: fields)
            // In one write: a server may answer and close the connection after the head.
            let content: [HTTPClientRequestPart] = body.isEmpty ? [] : [.body(.byteBuffer(ByteBuffer(bytes: body)))]
            try await outbound.write(contentsOf: [.head(head)] + content + [.end(nil)])
            return try await reply(inbound)
        }
    }

    private static func reply(_ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>) async throws -> Reply {
        var reply = Reply()
        for try await part in inbound {
            switch part {
            case .head(let head):
                reply.status = Int(head.status.code)
                reply.headers = head.headers.map { ($0.name, $0.value) }
            case .body(let buffer):
                reply.body += buffer.readableBytesView
            case .end:
                return reply
            }
        }
        throw LabError("the response is incomplete")
    }
}

/// Why an attack or the lab could not run. Never a verdict.
struct LabError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
