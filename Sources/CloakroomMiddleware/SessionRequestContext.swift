public import CloakroomCore
public import CloakroomTokens
public import Hummingbird
import NIOCore

/// What `SessionMiddleware` found out about the session behind a request.
public enum SessionState: Sendable {
    /// No cookie and no bearer token.
    case absent
    case refused(Denial)
    case verified(VerifiedAccess)
}

/// A request context that `SessionMiddleware` can leave its finding in.
public protocol SessionRequestContext: RequestContext {
    var sessionState: SessionState { get set }
    /// The address of the peer of the connection.
    var peerAddress: String? { get }
}

extension SessionRequestContext {
    /// The request's authority.
    /// - Throws: a `Denial`, which `ProblemMiddleware` answers.
    public var access: VerifiedAccess {
        get throws {
            switch sessionState {
            case .absent: throw Denial.sessionMissing
            case .refused(let denial): throw denial
            case .verified(let access): return access
            }
        }
    }

    /// The authority of a request whose authentication is fresh and strong enough (RFC 9470).
    /// - Throws: a `Denial`, which `ProblemMiddleware` answers.
    public func access(requiring stepUp: StepUp, at now: Instant) throws -> VerifiedAccess {
        let access = try access
        try stepUp.check(access.authentication, at: now)
        return access
    }
}

/// A context for apps that need nothing else.
public struct BasicSessionRequestContext: SessionRequestContext {
    /// The framework's own.
    public var coreContext: CoreRequestContextStorage
    /// What `SessionMiddleware` found.
    public var sessionState = SessionState.absent
    private let peer: SocketAddress?

    /// The address of the peer of the connection.
    public var peerAddress: String? { peer?.ipAddress }

    /// As the framework makes it.
    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peer = source.channel.remoteAddress
    }
}
