import CloakroomCore
import NIOCore

/// How long nothing may happen.
extension Exchange {
    func tick(at now: NIODeadline) {
        if case .tunnel(let tunnel) = phase { tunnel.tick(at: now) }
        watch?.tick(at: now)
        guard lastProgress + limit < now else { return }
        switch phase {
        case .head where requestBody.isComplete || upstream?.isWritable == false: fail(.upstreamTimeout)
        case .head: fail(.requestTimeout)
        case .body, .tunnel: cut()
        case .connecting, .over: break
        }
        front.flushIfNeeded()
    }

    /// How long nothing may happen.
    var limit: TimeAmount {
        switch phase {
        case .connecting, .over: .hours(1)
        case .head:
            requestBody.isComplete ? limits.response.timeAmount : gateway.limits.stalledClient
        case .body: front.isWritable ? limits.idle.timeAmount : gateway.limits.stalledClient
        case .tunnel: limits.idle.timeAmount
        }
    }
}

extension Span {
    fileprivate var timeAmount: TimeAmount { .milliseconds(milliseconds) }
}
