import CloakroomCore
import CloakroomTokens
import NIOCore

/// One request, and its response: both on their way between a browser's connection and a backend's.
final class Exchange {
    enum Plan {
        /// Our own endpoints.
        case own
        case backend(Route, VerifiedAccess?, setCookie: String?)
    }

    enum Phase {
        case connecting
        /// Waiting for the head of the response.
        case head
        case body(BodyProgress, chunks: Bool)
        case tunnel(Tunnel)
        case over
    }

    let front: FrontConnection
    let request: RequestHead
    let plan: Plan
    /// The address of the client, from the peer and what trusted proxies say.
    let client: String
    var phase = Phase.connecting
    var upstream: UpstreamConnection?
    var address: UpstreamAddress?
    var place: UpstreamBudget.Place?
    var requestBody: BodyProgress
    var hasSentBody = false
    /// Whether a byte of a response came.
    var hasResponse = false
    var isRetry = false
    var response = ByteBuffer()
    var responseEnd = HeadEnd()
    var keepsUpstream = false
    var closesFront = false
    let beganAt = NIODeadline.now()
    var lastProgress = NIODeadline.now()
    /// Of the response.
    var status = 0
    /// The session that an open stream belongs to; nil for every other response.
    var watch: StreamWatch?

    static let longestResponseHead = 64 * 1024
    /// The rest of a response that came with its head is sent together with it up to this length.
    static let joinedBody = 16 * 1024

    init(_ front: FrontConnection, _ request: RequestHead, _ plan: Plan) {
        self.front = front
        self.request = request
        self.plan = plan
        client = front.clientAddress(of: request)
        requestBody = BodyProgress(request.framing)
    }

    var gateway: Gateway { front.gateway }
    var isSafe: Bool { OriginPolicy.isSafe(request.method) }
    var isToHead: Bool { request.method == "HEAD" }

    var limits: RouteLimits {
        switch plan {
        case .own: RouteLimits()
        case .backend(let route, _, _): route.limits
        }
    }

    var access: VerifiedAccess? {
        switch plan {
        case .own: nil
        case .backend(_, let access, _): access
        }
    }

    var setCookie: String? {
        switch plan {
        case .own: nil
        case .backend(_, _, let setCookie): setCookie
        }
    }
}
