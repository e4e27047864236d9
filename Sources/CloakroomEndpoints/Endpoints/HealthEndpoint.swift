import CloakroomCore
import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// `GET /healthz`: the process answers.
    static let health = Endpoint(.get, "/healthz", isForProbes: true) { _ in
        .json(["status": "ok"])
    }

    /// `GET /readyz`: the store answers as well.
    static let readiness = Endpoint(.get, "/readyz", isForProbes: true) { call in
        guard await call.server.isReady() else { throw Denial.unavailable(retryAfter: .seconds(1)) }
        return .json(["status": "ready"])
    }
}
