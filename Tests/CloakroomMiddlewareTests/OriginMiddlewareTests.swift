import CloakroomCore
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Testing

@testable import CloakroomMiddleware

@Suite struct OriginMiddlewareTests {
    private func send(
        _ target: String, method: HTTPRequest.Method = .get, authority: String? = "app.example",
        _ headers: HTTPFields = [:]
    ) async throws -> Int {
        let own = try #require(WebOrigin(parsing: "http://app.example"))
        let middleware = OriginMiddleware<Context>(OriginPolicy(ownOrigin: own), cookie: SessionCookie())
        let head = HTTPRequest(
            method: method, scheme: "http", authority: authority, path: target, headerFields: headers)
        let request = Request(head: head, body: .init(buffer: ByteBuffer()))
        let context = Context(source: .init(logger: Logger(label: "test")))
        do {
            return try await middleware.handle(request, context: context) { _, _ in Response(status: .ok) }.status.code
        } catch let denial as Denial {
            return denial.problem.response.status.code
        }
    }

    /// The context of a request without a connection.
    private struct Context: RequestContext {
        struct Source: RequestContextSource {
            let logger: Logger
        }

        var coreContext: CoreRequestContextStorage

        init(source: Source) {
            coreContext = .init(source: source)
        }
    }

    @Test("a missing, empty or duplicate Host is malformed")
    func host() async throws {
        #expect(try await send("/", authority: nil) == 400)
        #expect(try await send("/", authority: "") == 400)
        #expect(try await send("/", [.known("Host"): "app.example"]) == 400, "the framework took the first of two")
    }

    @Test("the middleware passes methods, upgrades and service workers to the policy")
    func checked() async throws {
        let evil: HTTPFields = [.origin: "http://evil.test"]
        #expect(try await send("/", evil) == 200, "CORS in the browser protects reads, not this middleware")
        #expect(try await send("/", method: .post, evil) == 403)
        for extra: HTTPFields in [
            [.upgrade: "websocket"], [.upgrade: "h2c, WebSocket/13"],
            [.known("Sec-WebSocket-Key"): "dGhlIHNhbXBsZSBub25jZQ=="],
        ] {
            #expect(try await send("/", evil + extra) == 403, "\(extra)")
            #expect(
                try await send("/", [.origin: "http://app.example"] + extra) == 200, "\(extra)")
        }
        #expect(try await send("/", evil + [.upgrade: "h2c"]) == 200)
        #expect(try await send("/worker.js", [.serviceWorker: "script"]) == 403)
    }
}

extension HTTPFields {
    fileprivate static func + (one: Self, other: Self) -> Self {
        var all = one
        for field in other { all.append(field) }
        return all
    }
}
