import NIOCore
import NIOPosix

/// A connection on which a test writes raw bytes.
struct RawConnection {
    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    init(port: Int) async throws {
        channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { Self.wrap($0) }
    }

    init(unixSocket path: String) async throws {
        channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(unixDomainSocketPath: path) { Self.wrap($0) }
    }

    private static func wrap(_ channel: any Channel) -> EventLoopFuture<NIOAsyncChannel<ByteBuffer, ByteBuffer>> {
        channel.eventLoop.makeCompletedFuture {
            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    /// A response without its `Date`, which changes every second.
    struct Answer: Hashable, CustomStringConvertible {
        var head: String
        let body: String

        var status: Int { Int(head.split(separator: " ").dropFirst().first ?? "") ?? 0 }
        var hasDate: Bool
        var description: String { "\(head)\n\(body)" }

        /// The response without the header.
        func without(_ name: String) -> Answer {
            var answer = self
            answer.head = head.split(separator: "\r\n", omittingEmptySubsequences: false)
                .filter { !$0.lowercased().hasPrefix("\(name):") }.joined(separator: "\r\n")
            return answer
        }

        func header(_ name: String) -> String? {
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
                .map { String($0.dropFirst(name.count + 2)) }
        }
    }

    /// Parses the received bytes into responses, in order.
    struct Reader {
        private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        private var received: [UInt8] = []
        /// Whether the server has closed the connection.
        private(set) var isAtEnd = false

        init(_ inbound: NIOAsyncChannelInboundStream<ByteBuffer>) {
            iterator = inbound.makeAsyncIterator()
        }

        /// The next response; nil when the server closes the connection first.
        /// - Parameter hasBody: false for the response to HEAD.
        mutating func answer(hasBody: Bool = true) async throws -> Answer? {
            while true {
                if let answer = take(hasBody) { return answer }
                guard try await receive() else { return nil }
            }
        }

        /// All bytes until the server closes the connection.
        mutating func rest() async throws -> String {
            while try await receive() {}
            defer { received = [] }
            return String(decoding: received, as: UTF8.self)
        }

        private mutating func receive() async throws -> Bool {
            do {
                guard let part = try await iterator.next() else {
                    isAtEnd = true
                    return false
                }
                received += part.readableBytesView
                return true
            } catch let error as IOError where error.errnoCode == 104 {
                // The server closed the connection before it read all bytes.
                isAtEnd = true
                return false
            }
        }

        private mutating func take(_ hasBody: Bool) -> Answer? {
            guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
            let lines = String(decoding: received[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
            let length = lines.first { $0.lowercased().hasPrefix("content-length:") }
                .flatMap { Int($0.drop { $0 != ":" }.dropFirst(2)) }
            let body = received[end.upperBound...].prefix(hasBody ? length ?? 0 : 0)
            guard !hasBody || body.count == length ?? 0 else { return nil }
            received.removeFirst(end.upperBound + body.count)
            let kept = lines.filter { !$0.lowercased().hasPrefix("date:") }
            return Answer(
                head: kept.joined(separator: "\r\n"), body: String(decoding: body, as: UTF8.self),
                hasDate: kept.count == lines.count - 1)
        }
    }

    typealias Writer = NIOAsyncChannelOutboundWriter<ByteBuffer>

    /// Runs `test`, which writes and reads, then closes the connection.
    func use<Result: Sendable>(
        _ test: @escaping @Sendable (Writer, inout Reader) async throws -> Result
    ) async throws -> Result {
        try await channel.executeThenClose { inbound, outbound in
            var reader = Reader(inbound)
            return try await test(outbound, &reader)
        }
    }

    /// Writes all requests at once and reads their responses; fewer when the server closes the connection.
    static func send(_ texts: [String], port: Int) async throws -> [Answer] {
        try await RawConnection(port: port).use { writer, reader in
            try await writer.write(ByteBuffer(string: texts.joined()))
            var answers: [Answer] = []
            for text in texts {
                guard let answer = try await reader.answer(hasBody: !text.hasPrefix("HEAD ")) else { break }
                answers.append(answer)
            }
            return answers
        }
    }

    /// Writes each request after the response to the previous one, on one connection for as long as the server keeps
    /// it open.
    static func converse(_ texts: [String], port: Int) async throws -> [Answer] {
        var answers: [Answer] = []
        while answers.count < texts.count {
            let remaining = Array(texts[answers.count...])
            let more = try await RawConnection(port: port).use { writer, reader in
                var answers: [Answer] = []
                for text in remaining {
                    try await writer.write(ByteBuffer(string: text))
                    guard let answer = try await reader.answer(hasBody: !text.hasPrefix("HEAD ")) else { break }
                    answers.append(answer)
                    let closes = answer.header("Connection")?.lowercased() == "close"
                    if closes || text.contains(" HTTP/1.0\r\n") { break }
                }
                return answers
            }
            guard !more.isEmpty else { break }
            answers += more
        }
        return answers
    }
}
