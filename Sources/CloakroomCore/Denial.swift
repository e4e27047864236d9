/// An error with which Cloakroom refuses a request, such as one that `access` throws. The router of `addCloakroom`
/// answers it.
public protocol RefusedRequest: Error {
    /// The stable name of the reason, such as `session_missing` (`docs/http.md`).
    var code: String { get }
}

/// Every reason for which Cloakroom refuses a request.
///
/// `code` is the stable public name (the contract); the HTTP answer to each case stands in exactly one file,
/// `Denial+Problem.swift`, which does not compile until a new case is answered there.
package enum Denial: RefusedRequest, Hashable, Sendable {
    /// Malformed JSON, missing or wrong fields; `fields` names each with what was expected.
    case invalidRequest(fields: [String: String])
    case unsupportedMediaType
    case contentTooLarge
    /// The head of the request is longer than the server reads (RFC 6585 section 5).
    case headTooLarge
    /// The target of the request is longer than the server reads (RFC 9110 section 15.5.15).
    case targetTooLong
    /// The client did not send the whole request in time.
    case requestTimeout
    /// `Expect` asks for something that no server offers (RFC 9110 section 10.1.1).
    case expectationFailed
    /// A method or a transfer coding that the gateway does not pass on.
    case notImplemented
    case versionNotSupported
    /// The origin check failed (`OriginPolicy`).
    case crossSiteRequest
    /// A page registered a script of our origin as a service worker that is not one of the app's own.
    case serviceWorkerRefused
    /// Wrong password, unknown or disabled account: the response does not say which.
    case invalidCredentials
    case sessionMissing
    case tokenInvalid
    case tokenExpired
    case sessionExpired
    case sessionRevoked
    /// The client presented a spent refresh token: the session is now revoked (RFC 9700 section 4.14.2).
    case refreshTokenReused
    case bindingRequired
    /// The session is valid, but this request demands a higher level or a fresher authentication (RFC 9470).
    case insufficientUserAuthentication(StepUpChallenge)
    /// This account cannot reach the level that the request demands.
    case stepUpUnavailable
    case rateLimited(retryAfter: Span)
    case accountExists
    /// The session lacks a claim that the route demands.
    case insufficientClaims
    /// The service API: no key, or one that is unknown, expired, or used from another network.
    case serviceKeyInvalid
    /// The service API: the key does not allow this call, or not for this subject or level.
    case serviceScope
    /// The service API: a browser sent the call.
    case serviceOnly
    /// An app has blocked the subject: it gets no new session.
    case subjectBlocked
    /// A login, a sign-up or a password change at another host than that of the public URL (setting `hosts`).
    case loginHostOnly
    case misdirectedRequest
    case notFound
    case methodNotAllowed(allow: [String])
    case unavailable(retryAfter: Span)
    /// The gateway cannot reach the backend, or the backend answers something that is not HTTP.
    case upstreamUnavailable
    /// The backend does not answer in time.
    case upstreamTimeout

    /// The stable public code of the contract.
    package var code: String { kind.rawValue }
}

extension Denial {
    /// A denial without its details, by its stable public code.
    package enum Kind: String, CaseIterable, Sendable {
        case invalidRequest = "invalid_request"
        case unsupportedMediaType = "unsupported_media_type"
        case contentTooLarge = "content_too_large"
        case headTooLarge = "head_too_large"
        case targetTooLong = "target_too_long"
        case requestTimeout = "request_timeout"
        case expectationFailed = "expectation_failed"
        case notImplemented = "not_implemented"
        case versionNotSupported = "version_not_supported"
        case crossSiteRequest = "cross_site_request"
        case serviceWorkerRefused = "service_worker_refused"
        case invalidCredentials = "invalid_credentials"
        case sessionMissing = "session_missing"
        case tokenInvalid = "token_invalid"
        case tokenExpired = "token_expired"
        case sessionExpired = "session_expired"
        case sessionRevoked = "session_revoked"
        case refreshTokenReused = "refresh_token_reused"
        case bindingRequired = "binding_required"
        case insufficientUserAuthentication = "insufficient_user_authentication"
        case stepUpUnavailable = "step_up_unavailable"
        case rateLimited = "rate_limited"
        case accountExists = "account_exists"
        case insufficientClaims = "insufficient_claims"
        case serviceKeyInvalid = "service_key_invalid"
        case serviceScope = "service_scope"
        case serviceOnly = "service_only"
        case subjectBlocked = "subject_blocked"
        case loginHostOnly = "login_host_only"
        case misdirectedRequest = "misdirected_request"
        case notFound = "not_found"
        case methodNotAllowed = "method_not_allowed"
        case unavailable
        case upstreamUnavailable = "upstream_unavailable"
        case upstreamTimeout = "upstream_timeout"
    }

    package var kind: Kind {
        switch self {
        case .invalidRequest: .invalidRequest
        case .unsupportedMediaType: .unsupportedMediaType
        case .contentTooLarge: .contentTooLarge
        case .headTooLarge: .headTooLarge
        case .targetTooLong: .targetTooLong
        case .requestTimeout: .requestTimeout
        case .expectationFailed: .expectationFailed
        case .notImplemented: .notImplemented
        case .versionNotSupported: .versionNotSupported
        case .crossSiteRequest: .crossSiteRequest
        case .serviceWorkerRefused: .serviceWorkerRefused
        case .invalidCredentials: .invalidCredentials
        case .sessionMissing: .sessionMissing
        case .tokenInvalid: .tokenInvalid
        case .tokenExpired: .tokenExpired
        case .sessionExpired: .sessionExpired
        case .sessionRevoked: .sessionRevoked
        case .refreshTokenReused: .refreshTokenReused
        case .bindingRequired: .bindingRequired
        case .insufficientUserAuthentication: .insufficientUserAuthentication
        case .stepUpUnavailable: .stepUpUnavailable
        case .rateLimited: .rateLimited
        case .accountExists: .accountExists
        case .insufficientClaims: .insufficientClaims
        case .serviceKeyInvalid: .serviceKeyInvalid
        case .serviceScope: .serviceScope
        case .serviceOnly: .serviceOnly
        case .subjectBlocked: .subjectBlocked
        case .loginHostOnly: .loginHostOnly
        case .misdirectedRequest: .misdirectedRequest
        case .notFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .unavailable: .unavailable
        case .upstreamUnavailable: .upstreamUnavailable
        case .upstreamTimeout: .upstreamTimeout
        }
    }
}
