public import CloakroomCore
public import CloakroomTokens
public import Hummingbird
import NIOCore

/// What Cloakroom found out about the session of a request; `access` reads it.
public struct SessionState: Sendable {
    package enum Finding: Sendable {
        /// No cookie and no bearer token.
        case absent
        case refused(Denial)
        case verified(VerifiedAccess)
    }

    package let finding: Finding

    package init(_ finding: Finding) {
        self.finding = finding
    }

    /// The initial value in a context: the request was not looked at, or has neither a cookie nor a bearer token.
    public static let absent = Self(.absent)
}

/// A request context in which the router of `addCloakroom` stores the session of the request.
public protocol SessionRequestContext: RequestContext {
    var sessionState: SessionState { get set }
    /// The address of the peer of the connection.
    var peerAddress: String? { get }
}

extension SessionRequestContext {
    /// The verified access token of the request.
    /// - Throws: a `RefusedRequest`, which the router of `addCloakroom` answers.
    public var access: VerifiedAccess {
        get throws {
            switch sessionState.finding {
            case .absent: throw Denial.sessionMissing
            case .refused(let denial): throw denial
            case .verified(let access): return access
            }
        }
    }

    /// The verified access token of the request, if its authentication meets the demand (RFC 9470).
    /// - Throws: a `RefusedRequest`, which the router of `addCloakroom` answers.
    public func access(requiring stepUp: StepUp, at now: Instant) throws -> VerifiedAccess {
        let access = try access
        try stepUp.check(access.authentication, of: access.subject, at: now)
        return access
    }
}

/// A request context with nothing but the session.
public struct BasicSessionRequestContext: SessionRequestContext {
    /// The storage that the framework requires.
    public var coreContext: CoreRequestContextStorage
    /// `absent` before the router has looked.
    public var sessionState = SessionState.absent
    private let peer: SocketAddress?

    /// The address of the peer of the connection; `unix` on a Unix socket.
    public var peerAddress: String? { peer?.pathname == nil ? peer?.ipAddress : TrustedProxies.unixSocket }

    /// The framework calls this for each request.
    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peer = source.channel.remoteAddress
    }
}
