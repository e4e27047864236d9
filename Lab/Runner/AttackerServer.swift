import CloakroomMiddleware
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// The attacker's host, and the sibling host that they got hold of: hands out their script and pages, and takes what
/// these send home.
final class AttackerServer: Sendable {
    private struct State {
        var files: [String: (type: String, body: String)] = [:]
        var redirects: [String: String] = [:]
        var loot: [String: [Arrival]] = [:]
    }

    /// Something that was sent home.
    struct Arrival: Sendable {
        let time: ContinuousClock.Instant
        let loot: String
        /// Whether a page was opened with it, as against a request in the background.
        let isNavigation: Bool
    }

    let server: LocalServer

    init() async throws {
        let state = SharedState()
        let router = Router(context: BasicSessionRequestContext.self)
        router.get("/files/{cell}/{name}") { _, context in
            let path = "\(try context.parameters.require("cell"))/\(try context.parameters.require("name"))"
            guard let file = state.value.withLock({ $0.files[path] }) else { throw HTTPError(.notFound) }
            return Response.bytes(Array(file.body.utf8), file.type)
        }
        router.post("/redirect/{cell}") { _, context in
            let cell = try context.parameters.require("cell")
            guard let target = state.value.withLock({ $0.redirects[cell] }) else { throw HTTPError(.notFound) }
            return Response(status: .temporaryRedirect, headers: [.location: target])
        }
        for method in [HTTPRequest.Method.get, .post] {
            router.on("/loot/{cell}", method: method) { request, context in
                let cell = try context.parameters.require("cell")
                let body = try await request.body.collect(upTo: 1 << 20)
                let inQuery = request.uri.queryParameters["d"].map(String.init) ?? ""
                let sent = String(buffer: body) + (inQuery.removingPercentEncoding ?? inQuery)
                // A picture sends nothing but where it stands.
                let loot = sent.isEmpty ? request.headers[.referer] ?? "" : sent
                let arrival = Arrival(
                    time: .now, loot: loot, isNavigation: request.uri.queryParameters["d"] != nil)
                state.value.withLock { $0.loot[cell, default: []].append(arrival) }
                return Response.page("thanks")
            }
        }
        self.shared = state
        server = try await LocalServer(router)
    }

    private let shared: SharedState

    /// Mutexes do not leave the object they are in.
    private final class SharedState: Sendable {
        let value = Mutex(State())
    }

    func put(_ body: String, as name: String, type: String, for cell: String) {
        shared.value.withLock { $0.files["\(cell)/\(name)"] = (type, body) }
    }

    func redirect(_ cell: String, to target: String) {
        shared.value.withLock { $0.redirects[cell] = target }
    }

    /// Everything that has arrived from this cell.
    func arrivals(of cell: String) -> [Arrival] {
        shared.value.withLock { $0.loot[cell] ?? [] }
    }

    func loot(of cell: String) -> [String] {
        arrivals(of: cell).map(\.loot)
    }

    func end() { server.end() }
}
