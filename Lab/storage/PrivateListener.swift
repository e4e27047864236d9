import CloakroomEndpoints
import Hummingbird
import HummingbirdCore
import Synchronization

/// Cloakroom's private listener, on a port of its own beside the bank, so that attacks can send requests to it.
final class PrivateListener: Sendable {
    let server: LocalServer
    private let counter: Counter

    /// In a class of its own, because a `Mutex` cannot be captured by the listener's closure.
    private final class Counter: Sendable {
        let value = Mutex(0)
    }

    init(_ authorization: AuthorizationServer) async throws {
        let counter = Counter()
        self.counter = counter
        let router = Router(context: PrivateRequestContext.self)
        router.addPrivateEndpoints(authorization, metrics: { "" })
        server = try await LocalServer(
            router, .privateListener(authorization, observing: { _ in counter.value.withLock { $0 += 1 } }))
    }

    /// How many checks were answered from memory, each with a token.
    var allowed: Int { counter.value.withLock { $0 } }

    func end() { server.end() }
}
