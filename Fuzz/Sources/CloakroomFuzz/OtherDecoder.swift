import NIOCore
import NIOEmbedded
import NIOHTTP1

/// NIO's decoders, which are llhttp without its lenient options.
struct OtherReading {
    var messages: [Message] = []
    var hasFailed = false
}

/// Feeds a decoder with segments, and collects what comes out.
private func decode(
    _ bytes: [UInt8], salt: UInt64, by handler: any ChannelHandler, writing: (EmbeddedChannel) throws -> Void,
    collect: (EmbeddedChannel, inout OtherReading) throws -> Void
) -> OtherReading {
    var reading = OtherReading()
    let channel = EmbeddedChannel(handler: handler)
    do {
        try writing(channel)
        for segment in Segments(bytes, salt: salt) { try channel.writeInbound(segment) }
    } catch {
        reading.hasFailed = true
    }
    do { try collect(channel, &reading) } catch { reading.hasFailed = true }
    _ = try? channel.finish(acceptAlreadyClosed: true)
    return reading
}

extension OtherReading {
    static func requests(_ bytes: [UInt8], salt: UInt64) -> OtherReading {
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
        return decode(bytes, salt: salt, by: decoder, writing: { _ in }) { channel, reading in
            while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
                switch part {
                case .head(let head): reading.begin(start(head), head.headers)
                case .body(let piece): reading.append(piece)
                case .end: reading.end()
                }
            }
        }
    }

    /// - Parameter methods: of the requests that the bytes answer.
    static func responses(_ bytes: [UInt8], to methods: [HTTPMethod], salt: UInt64) -> OtherReading {
        let decoder = ByteToMessageHandler(
            HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .forward))
        let ask = { (channel: EmbeddedChannel) in
            for method in methods {
                let head = HTTPRequestHead(version: .http1_1, method: method, uri: "/")
                try channel.writeOutbound(HTTPClientRequestPart.head(head))
            }
        }
        return decode(bytes, salt: salt, by: decoder, writing: ask) { channel, reading in
            while let part = try channel.readInbound(as: HTTPClientResponsePart.self) {
                switch part {
                case .head(let head):
                    reading.begin("\(head.status.code)", head.headers)
                    if 100..<200 ~= head.status.code, head.status.code != 101 { reading.end() }
                case .body(let piece): reading.append(piece)
                case .end: reading.end()
                }
            }
        }
    }

    /// The target in the gateway's form: what the decoder took for it must mean the same.
    private static func start(_ head: HTTPRequestHead) -> String {
        let target = Array(head.uri.utf8).withUnsafeBytes { try? RequestTarget($0) }
        return "\(head.method.rawValue) \(target?.authority ?? "") \(target?.text ?? head.uri)"
    }

    private mutating func begin(_ start: String, _ headers: HTTPHeaders) {
        // llhttp leaves tabs at the end of a value; they are not of it (RFC 9112 section 5.1).
        let fields = headers.map { header in
            let value = header.value.utf8.reversed().drop { $0 == 0x09 || $0 == 0x20 }.reversed()
            return Message.Field(name: header.name, value: String(decoding: value, as: UTF8.self))
        }
        messages.append(Message(start: start, fields: fields))
    }

    private mutating func append(_ piece: ByteBuffer) {
        guard !messages.isEmpty else { return hasFailed = true }
        messages[messages.count - 1].body += piece.readableBytesView
    }

    private mutating func end() {
        guard !messages.isEmpty else { return hasFailed = true }
        messages[messages.count - 1].isComplete = true
    }
}
