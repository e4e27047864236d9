import CloakroomMiddleware
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// The attacker's server, also for the sibling host that the attacker controls. It serves the attacker's scripts and
/// pages, and records the data that these send back.
final class AttackerServer: Sendable {
    private struct State {
        var files: [String: (type: String, body: String)] = [:]
        var redirects: [String: String] = [:]
        var loot: [String: [Arrival]] = [:]
    }

    /// Data that a script or page sent back.
    struct Arrival: Sendable {
        let time: ContinuousClock.Instant
        let loot: String
        /// Whether it came with a navigation, in the query, and not with a background request.
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
                // An image request has no data but its Referer.
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

    /// In a class of its own, because a `Mutex` cannot be captured by the routes' closures.
    private final class SharedState: Sendable {
        let value = Mutex(State())
    }

    func put(_ body: String, as name: String, type: String, for cell: String) {
        shared.value.withLock { $0.files["\(cell)/\(name)"] = (type, body) }
    }

    func redirect(_ cell: String, to target: String) {
        shared.value.withLock { $0.redirects[cell] = target }
    }

    /// All data that a cell's scripts and pages have sent.
    func arrivals(of cell: String) -> [Arrival] {
        shared.value.withLock { $0.loot[cell] ?? [] }
    }

    func loot(of cell: String) -> [String] {
        arrivals(of: cell).map(\.loot)
    }

    func end() { server.end() }
}
