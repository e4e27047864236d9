import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// A request as an access log records it.
struct LoggedRequest: Sendable {
    let time: ContinuousClock.Instant
    let method: String
    let path: String
    /// Path and query, which most servers log by default.
    let address: String
    /// The host of the `Host` header. Each cell of the matrix has hosts of its own.
    let host: String
    let origin: String?
    /// `Sec-Fetch-Site`
    let site: String?
    let cookie: String?
    let userAgent: String
    var status = 0
    var setsCookie = false

    /// The end of the `User-Agent` of the attacker's machine, which tells its requests from the victim's.
    static let elsewhere = "(another machine)"

    var isFromThief: Bool { userAgent.hasSuffix(Self.elsewhere) }
}

/// The requests that a server has received.
final class RequestLog: Sendable {
    private let requests = Mutex<[LoggedRequest]>([])

    func add(_ request: LoggedRequest) {
        requests.withLock { $0.append(request) }
    }

    func of(host: String) -> [LoggedRequest] {
        requests.withLock { $0.filter { $0.host == host } }
    }
}

/// Records every request. It is added first, so that requests that another middleware refuses are recorded too.
struct LoggingMiddleware<Context: RequestContext>: RouterMiddleware {
    let log: RequestLog

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var entry = LoggedRequest(
            time: .now, method: request.method.rawValue, path: request.uri.path,
            address: request.uri.string, host: request.hostName, origin: request.headers[.origin],
            site: request.headers[.secFetchSite], cookie: request.headers[.cookie],
            userAgent: request.headers[.userAgent] ?? "")
        do {
            let response = try await next(request, context)
            entry.status = response.status.code
            entry.setsCookie = response.headers[.setCookie] != nil
            log.add(entry)
            return response
        } catch {
            entry.status = (error as? any HTTPResponseError)?.status.code ?? 500
            log.add(entry)
            throw error
        }
    }
}

/// An HTTP server on a free loopback port. It runs until `end` is called.
final class LocalServer: Sendable {
    let port: Int
    private let task: Task<Void, any Error>

    init<Context: RequestContext>(
        _ router: Router<Context>, _ listener: HTTPServerBuilder = .http1()
    ) async throws where Context.Source == ApplicationRequestContextSource {
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "cloakroom.lab")
        logger.logLevel = .critical
        let application = Application(
            router: router, server: listener, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in found.yield(channel.localAddress?.port ?? 0) }, logger: logger)
        task = Task { try await application.run() }
        guard let port = await ports.first(where: { _ in true }) else { throw LabError("a server did not start") }
        self.port = port
    }

    func end() { task.cancel() }
}

extension Response {
    static func bytes(_ bytes: [UInt8], _ type: String, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = type
        headers[.cacheControl] = "no-store"
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// An HTML page whose Content Security Policy blocks no script: the attacks begin with script in the page.
    static func page(_ html: String, connectsOnlyHome: Bool = false) -> Response {
        let policy = "default-src * data: blob: 'unsafe-inline' 'unsafe-eval'"
        return bytes(
            Array(html.utf8), "text/html; charset=utf-8",
            headers: [.contentSecurityPolicy: policy + (connectsOnlyHome ? "; connect-src 'self'" : "")])
    }

    static func script(_ text: String) -> Response { .bytes(Array(text.utf8), "text/javascript; charset=utf-8") }

    static func answer(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        var response = bytes(value.serialized, "application/json")
        response.status = status
        return response
    }
}

/// The fields of a request's body, which is read as JSON if it is JSON and as a form otherwise. The `Content-Type` is
/// ignored, as many frameworks do: forms of other sites can then send JSON.
struct LaxBody {
    private let fields: [String: String]

    init(_ request: Request) async throws {
        let bytes = Array(try await request.body.collect(upTo: 64 * 1024).readableBytesView)
        if let object = (try? JSONValue(parsing: bytes))?.objectValue {
            fields = object.mapValues(Self.text)
        } else {
            let pairs = String(decoding: bytes, as: UTF8.self).split(separator: "&").map { pair in
                let parts = pair.split(separator: "=", maxSplits: 1).map { part in
                    part.replacing("+", with: " ").removingPercentEncoding ?? ""
                }
                return (parts.first ?? "", parts.count > 1 ? parts[1] : "")
            }
            fields = Dictionary(pairs) { $1 }
        }
    }

    private static func text(_ value: JSONValue) -> String {
        value.stringValue ?? value.integerValue.map { "\($0)" } ?? ""
    }

    subscript(name: String) -> String { fields[name] ?? "" }
}
