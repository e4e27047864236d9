import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes

extension Denial.Kind {
    /// The causes of this denial, as the OpenAPI document describes them.
    var reason: String {
        switch self {
        case .invalidRequest:
            "Malformed JSON, missing or wrong fields or parameters, over-long values, not exactly one Host."
        case .unsupportedMediaType:
            "The body is not application/json, nor a plain form where one is taken. A request without body has no media type."
        case .contentTooLarge: "The body is over 64 KiB."
        case .headTooLarge: "The head of the request is over 32 KiB."
        case .targetTooLong: "The target of the request is over 8 KiB; the gateway alone."
        case .expectationFailed: "`Expect` asks for something other than `100-continue`; the gateway alone."
        case .notImplemented: "CONNECT, TRACE, or a transfer coding other than `chunked`; the gateway alone."
        case .versionNotSupported: "Another version of HTTP than 1.1; the gateway alone."
        case .requestTimeout:
            "The request was not complete in time (setting `requestTimeout`); the connection is closed."
        case .crossSiteRequest:
            "Another site caused the request: an unsafe method or a WebSocket handshake with the `Origin` or the Fetch Metadata of another site."
        case .serviceWorkerRefused:
            "A browser fetches a service worker that is not among the app's own (setting `serviceWorkers`)."
        case .invalidCredentials:
            "Wrong password, unknown or disabled account: same body, same time."
        case .sessionMissing: "The request has neither the cookie nor a token."
        case .tokenInvalid: "A token is unparsable, forged, of another type, issuer or audience, or not yet valid."
        case .tokenExpired: "The access token has expired, and no cookie renews it."
        case .sessionExpired: "The session is past its idle or absolute lifetime."
        case .sessionRevoked: "The session was ended."
        case .refreshTokenReused: "A spent refresh token came; its session is now ended."
        case .bindingRequired: "The session is bound to a key, and the request has no proof of it."
        case .insufficientUserAuthentication:
            "The session's authentication is too old or too weak (RFC 9470)."
        case .stepUpUnavailable: "The account cannot reach the authentication level that is demanded."
        case .rateLimited: "Too many tries."
        case .accountExists: "There is an account with this address."
        case .insufficientClaims: "The session lacks a claim that the route demands."
        case .serviceKeyInvalid:
            "There is no service key, or it is unknown, removed, expired, or used from a network that it does not allow."
        case .serviceScope: "The service key does not have the scope, or not for this subject or level."
        case .serviceOnly: "The call has `Origin` or `Sec-Fetch-Site`: a browser sent it."
        case .subjectBlocked: "A backend has blocked the subject."
        case .misdirectedRequest: "The Host, or the host of a target in absolute form, is not ours."
        case .notFound: "There is nothing here, or it is not yours."
        case .methodNotAllowed: "The path has other methods, which `Allow` lists."
        case .unavailable: "The store or a queue is unavailable or full; nothing half-done."
        case .upstreamUnavailable: "The gateway cannot reach the backend, or its response is not HTTP."
        case .upstreamTimeout: "The backend did not respond in time."
        }
    }
}

extension Denial {
    /// A denial of this kind with realistic details, for the OpenAPI document.
    init(example kind: Kind) {
        self =
            switch kind {
            case .invalidRequest: .invalidRequest(fields: ["email": "must be an e-mail address"])
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
            case .insufficientUserAuthentication:
                .insufficientUserAuthentication(StepUpChallenge(maximumAge: .seconds(300), acceptedLevels: ["2"]))
            case .stepUpUnavailable: .stepUpUnavailable
            case .rateLimited: .rateLimited(retryAfter: .seconds(42))
            case .accountExists: .accountExists
            case .insufficientClaims: .insufficientClaims
            case .serviceKeyInvalid: .serviceKeyInvalid
            case .serviceScope: .serviceScope
            case .serviceOnly: .serviceOnly
            case .subjectBlocked: .subjectBlocked
            case .misdirectedRequest: .misdirectedRequest
            case .notFound: .notFound
            case .methodNotAllowed: .methodNotAllowed(allow: ["POST", "OPTIONS"])
            case .unavailable: .unavailable(retryAfter: .seconds(1))
            case .upstreamUnavailable: .upstreamUnavailable
            case .upstreamTimeout: .upstreamTimeout
            }
    }
}
