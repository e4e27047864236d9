import NIOCore
import NIOHPACK
import NIOHTTP2

/// Makes a stream of HTTP/2 look like a connection of HTTP/1.1 with one request.
final class HTTP2Stream: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTP2Frame.FramePayload

    private var request: HTTP2Request?
    private var response: HTTP2Response?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame): readHeaders(frame, context)
        case .data(let frame):
            guard case .byteBuffer(let bytes) = frame.data else { return }
            if bytes.readableBytes > 0 { passBody(bytes, context) }
            if frame.endStream { endBody(context) }
        case .priority, .rstStream, .settings, .pushPromise, .ping, .goAway, .windowUpdate, .alternativeService,
            .origin:
            break
        }
    }

    private func readHeaders(_ frame: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext) {
        // Trailers are dropped, as in HTTP/1.1.
        guard request == nil else { return frame.endStream ? endBody(context) : () }
        do {
            let request = try HTTP2Request(frame.headers, endsStream: frame.endStream)
            self.request = request
            response = HTTP2Response(isToHead: request.isToHead)
            context.fireChannelRead(wrapInboundOut(request.head))
        } catch {
            reset(.protocolError, context)
        }
    }

    private func passBody(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard request?.sendsChunks == true else { return context.fireChannelRead(wrapInboundOut(bytes)) }
        var bytes = bytes
        var chunk = context.channel.allocator.buffer(capacity: bytes.readableBytes + 24)
        chunk.writeString("\(String(bytes.readableBytes, radix: 16))\r\n")
        chunk.writeBuffer(&bytes)
        chunk.writeStaticString("\r\n")
        context.fireChannelRead(wrapInboundOut(chunk))
    }

    private func endBody(_ context: ChannelHandlerContext) {
        guard request?.sendsChunks == true else { return }
        context.fireChannelRead(wrapInboundOut(ByteBuffer(string: "0\r\n\r\n")))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = unwrapOutboundIn(data)
        do {
            guard let parts = try response?.read(bytes), !parts.isEmpty else {
                promise?.succeed()
                return
            }
            for (index, part) in parts.enumerated() {
                context.write(wrapOutboundOut(Self.frame(part)), promise: index == parts.count - 1 ? promise : nil)
            }
        } catch {
            promise?.fail(error)
            reset(.internalError, context)
        }
    }

    private static func frame(_ part: HTTP2Response.Part) -> HTTP2Frame.FramePayload {
        switch part {
        case .head(let headers, let endsStream): .headers(.init(headers: headers, endStream: endsStream))
        case .data(let bytes): .data(.init(data: .byteBuffer(bytes)))
        case .end: .data(.init(data: .byteBuffer(ByteBuffer()), endStream: true))
        }
    }

    private func reset(_ code: HTTP2ErrorCode, _ context: ChannelHandlerContext) {
        // Not at once: the connection is still telling its handlers about the new stream.
        context.eventLoop.assumeIsolated().execute {
            context.writeAndFlush(self.wrapOutboundOut(.rstStream(code)), promise: nil)
        }
    }
}
