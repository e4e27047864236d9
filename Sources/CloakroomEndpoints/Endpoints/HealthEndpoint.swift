import CloakroomCore
import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// Responds 200 while the process handles requests.
    static let health = Endpoint(
        probe: Operation(
            .get, "/healthz", "health", "Whether the process answers", tag: .operations,
            answers: [Answer(.ok, "The process answers.", .json(healthSchema))])
    ) { _ in healthSchema.response(()) }

    /// Responds 200 while the store takes writes, otherwise 503.
    static let readiness = Endpoint(
        probe: Operation(
            .get, "/readyz", "readiness", "Whether the store can be written", tag: .operations,
            answers: [Answer(.ok, "The store takes writes.", .json(readinessSchema))], denials: [.unavailable])
    ) { server in
        guard await server.isReady() else { throw Denial.unavailable(retryAfter: .seconds(1)) }
        return readinessSchema.response(())
    }

    private static let healthSchema = Schema<Void>.object("Health", [.constant("status", "ok")])
    private static let readinessSchema = Schema<Void>.object("Readiness", [.constant("status", "ready")])
}
