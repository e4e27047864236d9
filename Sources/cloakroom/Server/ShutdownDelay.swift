import CloakroomEndpoints
import Foundation
import ServiceLifecycle

/// Serves on for a while after a signal to stop, as not ready. Load balancers notice at their next probe, and send no more
/// requests before the listeners close.
struct ShutdownDelay: Service {
    let server: AuthorizationServer
    let delay: Duration

    func run() async throws {
        try? await gracefulShutdown()
        guard delay > .zero else { return }
        await server.leaveLoadBalancers()
        try? await Task.sleep(for: delay)
    }
}
