import NIOCore
import NIOPosix

/// A connection on which a test writes bytes as it likes.
struct RawConnection {
    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    init(port: Int) async throws {
        channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
    }

    /// An answer without its date, which is another each second.
    struct Answer: Hashable, CustomStringConvertible {
        let head: String
        let body: String

        var status: Int { Int(head.split(separator: " ").dropFirst().first ?? "") ?? 0 }
        var hasDate: Bool
        var description: String { "\(head)\n\(body)" }

        func header(_ name: String) -> String? {
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
                .map { String($0.dropFirst(name.count + 2)) }
        }
    }

    /// Writes everything at once and reads so many answers; fewer when the server hangs up.
    static func send(_ texts: [String], port: Int) async throws -> [Answer] {
        let connection = try await RawConnection(port: port)
        return try await connection.channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: texts.joined()))
            var received = ""
            var answers: [Answer] = []
            for try await part in inbound {
                received += String(buffer: part)
                while let answer = take(&received) { answers.append(answer) }
                if answers.count == texts.count { break }
            }
            return answers
        }
    }

    private static func take(_ text: inout String) -> Answer? {
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        let length = lines.first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.drop { $0 != ":" }.dropFirst(2)) }
        let body = text[end.upperBound...].utf8.prefix(length ?? 0)
        guard body.count == length ?? 0 else { return nil }
        let kept = lines.filter { !$0.lowercased().hasPrefix("date:") }
        defer { text = String(text[end.upperBound...].utf8.dropFirst(length ?? 0)) ?? "" }
        return Answer(
            head: kept.joined(separator: "\r\n"), body: String(body) ?? "", hasDate: kept.count == lines.count - 1)
    }
}
