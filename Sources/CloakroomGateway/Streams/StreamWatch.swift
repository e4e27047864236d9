import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import NIOCore

/// Ends an open stream with its session. A check at its beginning says nothing about the hours that follow.
final class StreamWatch {
    private let access: VerifiedAccess
    private let gateway: Gateway
    private weak var exchange: Exchange?
    private var nextRecheck: NIODeadline
    private var isRechecking = false
    /// Whether the client has sent something since the last tick.
    private var isActive = false
    private var failures = 0

    /// The longest time until the store is asked whether the session is past its lifetimes, which no revocation tells.
    private static let recheckInterval = TimeAmount.seconds(60)
    private static let retryInterval = TimeAmount.seconds(5)
    /// The number of failed checks in a row after which a stream ends: an unavailable store must not keep a session alive.
    private static let maximumFailures = 6

    init(_ access: VerifiedAccess, _ gateway: Gateway, _ exchange: Exchange) {
        self.access = access
        self.gateway = gateway
        self.exchange = exchange
        nextRecheck = .now()
    }

    /// What comes from the browser keeps the session from its idle lifetime; what the backend sends does not.
    func clientSent() {
        isActive = true
    }

    func tick(at now: NIODeadline) {
        if isActive {
            isActive = false
            gateway.rules.authorizer.sawActivity(of: access)
        }
        switch gateway.rules.authorizer.standing(of: access.session) {
        case .revoked: return end(1008, Denial.sessionRevoked.code)
        case .unknown: if !isRechecking { lookUp() }
        case .good, .stale: if nextRecheck <= now, !isRechecking { recheck() }
        }
    }

    func end() {
        exchange = nil
    }

    private func end(_ code: UInt16, _ reason: String) {
        let exchange = exchange
        self.exchange = nil
        exchange?.endStream(code, reason: reason)
    }

    /// Updates the view of revocations, or ends the stream when a request would be refused.
    private func lookUp() {
        guard let loop = exchange?.front.loop.eventLoop else { return }
        isRechecking = true
        let authorizer = gateway.rules.authorizer
        loop.makeFutureWithTask { try await authorizer.lookUp() }.assumeIsolated().whenComplete { result in
            self.isRechecking = false
            if case .failure = result { self.end(1013, Denial.unavailable(retryAfter: .zero).code) }
        }
    }

    private func recheck() {
        guard let loop = exchange?.front.loop.eventLoop else { return }
        isRechecking = true
        let (recheck, session) = (gateway.recheck, access.session)
        loop.makeFutureWithTask { try await recheck(session) }.assumeIsolated().whenComplete { result in
            self.isRechecking = false
            switch result {
            case .success(.success(let remaining)):
                self.failures = 0
                self.nextRecheck = .now() + min(Self.recheckInterval, .milliseconds(max(0, remaining.milliseconds)))
            case .success(.failure(let denial)):
                // The browser connects again at once, and must find the session ended.
                if denial == .sessionRevoked { self.gateway.rules.authorizer.learnedRevocation(of: session) }
                self.end(1008, denial.code)
            case .failure:
                self.failures += 1
                self.nextRecheck = .now() + Self.retryInterval
                if self.failures >= Self.maximumFailures { self.end(1013, Denial.unavailable(retryAfter: .zero).code) }
            }
        }
    }
}
