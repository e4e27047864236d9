import NIOCore

/// Reads the answer to one request with the gateway's grammar: interim responses, and the final one.
struct ResponseReader {
    private(set) var reading = Reading()
    private let isToHead: Bool
    private var received = ByteBuffer()
    private var headEnd = HeadEnd()
    private var current: Current?
    private var isAnswered = false

    private struct Current {
        var message: Message
        var progress: BodyProgress
        var content: Content
        var bytes: [UInt8]
        var keepsConnection: Bool
    }

    private init(isToHead: Bool) {
        self.isToHead = isToHead
    }

    static func read(_ bytes: [UInt8], isToHead: Bool, salt: UInt64) -> Reading {
        var reader = ResponseReader(isToHead: isToHead)
        for segment in Segments(bytes, salt: salt) where !reader.isAnswered {
            var segment = segment
            reader.received.writeBuffer(&segment)
            while !reader.isAnswered, reader.received.readableBytes > 0, reader.step() {}
        }
        if reader.current != nil { reader.finish() }
        return reader.reading
    }

    private mutating func step() -> Bool {
        do {
            return try current == nil ? readHead() : readBody()
        } catch {
            reading.isOpen = false
            isAnswered = true
            current = nil
            return false
        }
    }

    private mutating func readHead() throws -> Bool {
        let found = try received.withUnsafeReadableBytes { bytes throws(MalformedHead) in try headEnd.find(in: bytes) }
        guard let length = found, let bytes = received.readSlice(length: length) else { return false }
        headEnd = HeadEnd()
        let head = try ResponseHead(bytes)
        var message = Message(start: "\(head.status)")
        bytes.withUnsafeReadableBytes { raw in message.fields = head.lines.map { Message.Field($0, in: raw) } }
        if head.isInterim {
            message.isComplete = true
            reading.messages.append(message)
            reading.accepted += bytes.readableBytesView
            // NIO expects no response behind an interim one with `Connection: close`.
            isAnswered = message.fields.contains {
                $0.name.lowercased().hasSuffix("connection") && $0.value.lowercased().contains("close")
            }
            reading.isOpen = !isAnswered
            return true
        }
        let framing = head.bodyFraming(isToHead: isToHead)
        current = Current(
            message: message, progress: BodyProgress(framing, isResponse: true), content: Content(framing),
            bytes: Array(bytes.readableBytesView), keepsConnection: head.keepsConnection && head.status != 101)
        return try readBody()
    }

    private mutating func readBody() throws -> Bool {
        guard var response = current else { return false }
        let before = received
        response.content.append(try response.progress.take(from: &received))
        response.bytes += before.readableBytesView.prefix(before.readableBytes - received.readableBytes)
        response.message.isComplete = response.progress.isComplete
        current = response
        if response.progress.isComplete { finish() }
        return false
    }

    private mutating func finish() {
        guard let response = current else { return }
        var message = response.message
        message.body = response.content.decoded
        reading.messages.append(message)
        reading.accepted += response.bytes
        reading.isOpen = message.isComplete && response.keepsConnection
        isAnswered = true
        current = nil
    }
}
