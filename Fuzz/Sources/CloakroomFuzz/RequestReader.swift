import NIOCore

/// Reads the requests of a connection with the gateway's grammar, in the order of calls that its front makes.
struct RequestReader {
    private(set) var reading = Reading()
    private var received = ByteBuffer()
    private var headEnd = HeadEnd()
    private var current: Current?

    private struct Current {
        var message: Message
        var progress: BodyProgress
        var content: Content
        var method: String
        var target: RequestTarget
        /// As it is given to the other decoder.
        var bytes: [UInt8]
        var keepsConnection: Bool
    }

    private static let longestHead = 32768
    /// Of llhttp's list. The others are treated alike by the gateway.
    private static let knownMethods: Set = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "SEARCH"]

    static func read(_ bytes: [UInt8], salt: UInt64) -> Reading {
        var reader = RequestReader()
        for segment in Segments(bytes, salt: salt) where reader.reading.isOpen {
            var segment = segment
            reader.received.writeBuffer(&segment)
            while reader.reading.isOpen, reader.received.readableBytes > 0, reader.step() {}
        }
        reader.finish()
        return reader.reading
    }

    /// - Returns: whether more can be read from the bytes that are there.
    private mutating func step() -> Bool {
        do {
            return try current == nil ? readHead() : readBody()
        } catch {
            reading.isOpen = false
            current = nil
            return false
        }
    }

    private mutating func readHead() throws -> Bool {
        let found = try received.withUnsafeReadableBytes { bytes throws(MalformedHead) in try headEnd.find(in: bytes) }
        guard let length = found, let bytes = received.readSlice(length: length) else { return false }
        guard length <= Self.longestHead else { throw RequestFault.headTooLarge }
        headEnd = HeadEnd()
        let head = try RequestHead(bytes)
        var message = Message(start: "")
        bytes.withUnsafeReadableBytes { raw in message.fields = head.lines.map { Message.Field($0, in: raw) } }
        let isKnown = Self.knownMethods.contains(head.method)
        let rest = bytes.readableBytesView.drop { $0 != UInt8(ascii: " ") }
        let method = isKnown ? head.method : "POST"
        message.start = "\(method) \(head.target.authority ?? "") \(head.target.text)"
        current = Current(
            message: message, progress: BodyProgress(head.framing), content: Content(head.framing),
            method: head.method, target: head.target, bytes: Array(method.utf8) + rest,
            keepsConnection: head.keepsConnection && !head.offersUpgrade)
        return try readBody()
    }

    private mutating func readBody() throws -> Bool {
        guard var request = current else { return false }
        let before = received
        request.content.append(try request.progress.take(from: &received))
        request.bytes += before.readableBytesView.prefix(before.readableBytes - received.readableBytes)
        request.message.isComplete = request.progress.isComplete
        current = request
        guard request.progress.isComplete else { return false }
        finish()
        reading.isOpen = request.keepsConnection
        return true
    }

    private mutating func finish() {
        guard var request = current else { return }
        request.message.body = request.content.decoded
        reading.messages.append(request.message)
        reading.accepted += request.bytes
        reading.methods.append(request.method)
        reading.targets.append(request.target)
        current = nil
        if !request.message.isComplete { reading.isOpen = false }
    }
}
