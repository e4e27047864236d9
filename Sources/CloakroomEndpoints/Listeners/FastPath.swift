import CloakroomCore
import CloakroomMiddleware
import NIOCore
import NIOHTTP1

/// Requests that the event loop answers without the framework, in the way that the endpoint would answer them.
protocol FastPath: Sendable {
    associatedtype Answer: FastAnswer

    /// - Parameter head: that of a request without body which keeps its connection.
    /// - Returns: nil for a request that the framework must answer.
    func decide(_ head: HTTPRequestHead) -> FastDecision<Answer>?

    /// Called when the response is written.
    /// - Parameter duration: from the head of the request to its response.
    func observe(_ answer: Answer, _ duration: Duration)
}

/// A response of a fast path.
protocol FastAnswer: Sendable {
    /// Writes the response without the security headers, `Date` and body.
    func writeHead(to buffer: inout ByteBuffer)
    var body: [UInt8] { get }
}

enum FastDecision<Answer: Sendable>: Sendable {
    case now(Answer)
    /// The answer waits for the disk. The function runs on the event loop.
    case later(@Sendable () async -> Answer)

    /// Gives the trace of the request to what runs later, for its log lines.
    func traced(_ head: HTTPRequestHead) -> Self {
        switch self {
        case .now: return self
        case .later(let function):
            guard let trace = TraceID(traceparent: head.headers["traceparent"]) else { return self }
            return .later { await TraceID.$current.withValue(trace) { await function() } }
        }
    }
}

/// A response as its parts on the wire.
struct WireAnswer: FastAnswer {
    let status: HTTPResponseStatus
    var fields: [(name: String, value: String)]
    let body: [UInt8]

    func writeHead(to buffer: inout ByteBuffer) {
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString("\(status.code) \(status.reasonPhrase)\r\n")
        for (name, value) in fields { buffer.writeHeader(name, value) }
        if status != .noContent { buffer.writeHeader("Content-Length", "\(body.count)") }
    }
}

extension WireAnswer {
    init(_ problem: ProblemAnswer) {
        let (status, fields, body) = problem.bytes
        self.init(status: .init(statusCode: status), fields: fields.map { (name: $0, value: $1) }, body: body)
    }
}

extension ByteBuffer {
    fileprivate mutating func writeHeader(_ name: String, _ value: String) {
        writeString(name)
        writeStaticString(": ")
        writeString(value)
        writeStaticString("\r\n")
    }
}
