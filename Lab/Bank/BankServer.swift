import CloakroomMiddleware
import CloakroomTokens
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// What a server was asked, as its own log would say.
struct LoggedRequest: Sendable {
    let time: ContinuousClock.Instant
    let method: String
    let path: String
    /// Path and query, as every server's log has them.
    let address: String
    /// The host that the browser asked for: each cell of the matrix has hosts of its own.
    let host: String
    let origin: String?
    /// `Sec-Fetch-Site`
    let site: String?
    let cookie: String?
    let userAgent: String
    var status = 0
    var setsCookie = false

    /// How the thief's machine is told from the victim's.
    static let elsewhere = "(another machine)"

    var isFromThief: Bool { userAgent.hasSuffix(Self.elsewhere) }
}

/// The requests that a server has seen.
final class RequestLog: Sendable {
    private let requests = Mutex<[LoggedRequest]>([])

    func add(_ request: LoggedRequest) {
        requests.withLock { $0.append(request) }
    }

    func of(host: String) -> [LoggedRequest] {
        requests.withLock { $0.filter { $0.host == host } }
    }
}

/// Writes every request down. Added first, so that what another middleware refuses is seen too.
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

/// An HTTP server on a free port of this machine, running until it is ended.
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
        guard let port = await ports.first(where: { _ in true }) else { throw LabError("a server does not start") }
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

    /// Under a policy that stops no script: the attacks begin where script is in the page already.
    static func page(_ html: String, connectsOnlyHome: Bool = false) -> Response {
        let policy = "default-src * data: blob: 'unsafe-inline' 'unsafe-eval'"
        return bytes(
            Array(html.utf8), "text/html; charset=utf-8",
            headers: [.contentSecurityPolicy: policy + (connectsOnlyHome ? "; connect-src 'self'" : "")])
    }

    static func script(_ bytes: [UInt8]) -> Response { .bytes(bytes, "text/javascript; charset=utf-8") }

    static func answer(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        var response = bytes(value.serialized, "application/json")
        response.status = status
        return response
    }
}

/// What a form or a client sends: JSON whatever it calls itself, or a form's fields, as the usual frameworks take them.
struct LaxBody {
    private let fields: [String: String]

    init(_ request: Request) async throws {
        let bytes = Array(try await request.body.collect(upTo: 64 * 1024).readableBytesView)
        if let object = try? JSONReader.read(bytes).objectValue {
            fields = Dictionary(object.members.map { ($0.name, Self.text($0.value)) }) { $1 }
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
