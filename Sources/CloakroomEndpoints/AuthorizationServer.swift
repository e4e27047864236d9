public import CloakroomCore
public import CloakroomMiddleware
public import CloakroomService
public import Logging

/// Everything that the endpoints share.
public struct AuthorizationServer: Sendable {
    public let service: SessionService
    public let authorizer: SessionAuthorizer
    public let originPolicy: OriginPolicy
    public let trustedProxies: TrustedProxies
    public let issuer: String
    /// Whether the store answers: `GET /readyz`.
    public let isReady: @Sendable () async -> Bool
    public let logger: Logger

    public init(
        service: SessionService, cookie: SessionCookie, originPolicy: OriginPolicy, trustedProxies: TrustedProxies = .none,
        issuer: String, sightings: SightingQueue, feed: RevocationFeed,
        isReady: @escaping @Sendable () async -> Bool = { true }, logger: Logger
    ) {
        self.service = service
        self.originPolicy = originPolicy
        self.trustedProxies = trustedProxies
        self.issuer = issuer
        self.isReady = isReady
        self.logger = logger
        authorizer = SessionAuthorizer(
            verifier: service.verifier, cookie: cookie, now: { service.now },
            renew: { try await service.renew($0, expired: $1) },
            saw: { sightings.saw($0) },
            catchUp: { try await feed.catchUp() })
    }
}
