import CloakroomEndpoints
import Hummingbird
import HummingbirdCore
import Synchronization

/// Cloakroom's listener for proxies, on a port of its own beside the bank: there, so that attacks can try to reach it.
final class PrivateListener: Sendable {
    let server: LocalServer
    private let counter: Counter

    /// Mutexes do not leave the object they are in.
    private final class Counter: Sendable {
        let value = Mutex(0)
    }

    init(_ authorization: AuthorizationServer) async throws {
        let counter = Counter()
        self.counter = counter
        let router = Router(context: PrivateRequestContext.self)
        router.addPrivateEndpoints(authorization, metrics: { "" })
        server = try await LocalServer(
            router, .privateListener(authorization, observing: { _, _ in counter.value.withLock { $0 += 1 } }))
    }

    /// Checks that were allowed: those that hold a token.
    var allowed: Int { counter.value.withLock { $0 } }

    func end() { server.end() }
}
