import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// A WebSocket in one response: the handshake (RFC 6455, section 4.2.2), one message, and the close frame. As a
    /// response it passes the same middleware as the other routes, which is what the attacks test.
    /// - Throws: `HTTPError` when the request is no WebSocket handshake.
    static func socket(_ message: String, for request: Request) throws -> Response {
        guard request.headers[.upgrade]?.lowercased() == "websocket", let key = request.headers[.secWebSocketKey],
            message.utf8.count < 126
        else { throw HTTPError(.upgradeRequired) }
        let digest = Insecure.SHA1.hash(data: Data("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
        let text: [UInt8] = [0x81, UInt8(message.utf8.count)] + Array(message.utf8)
        let close: [UInt8] = [0x88, 0x02, 0x03, 0xE8]
        return Response(
            status: .switchingProtocols,
            headers: [
                .upgrade: "websocket", .connection: "Upgrade",
                .secWebSocketAccept: Data(digest).base64EncodedString(),
            ],
            body: .init(byteBuffer: ByteBuffer(bytes: text + close)))
    }
}
