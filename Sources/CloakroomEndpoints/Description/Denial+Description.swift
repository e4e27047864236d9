import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes

extension Denial.Kind {
    /// The causes of this denial, as the OpenAPI document describes them.
    var reason: String { described.reason }

    /// A denial of this kind with realistic details, for the OpenAPI document.
    var example: Denial { described.example }

    private var described: (reason: String, example: Denial) {
        switch self {
        case .invalidRequest:
            (
                "Malformed JSON, missing or wrong fields or parameters, over-long values, not exactly one Host.",
                .invalidRequest(fields: ["email": "must be an e-mail address"])
            )
        case .unsupportedMediaType:
            (
                "The body is not application/json, nor a plain form where one is taken. A request without body has no media type.",
                .unsupportedMediaType
            )
        case .contentTooLarge:
            (
                "The body is over 64 KiB.",
                .contentTooLarge
            )
        case .headTooLarge:
            (
                "The head of the request is over 32 KiB.",
                .headTooLarge
            )
        case .targetTooLong:
            (
                "The target of the request is over 8 KiB; the gateway alone.",
                .targetTooLong
            )
        case .expectationFailed:
            (
                "`Expect` asks for something other than `100-continue`; the gateway alone.",
                .expectationFailed
            )
        case .notImplemented:
            (
                "CONNECT, TRACE, or a transfer coding other than `chunked`; the gateway alone.",
                .notImplemented
            )
        case .versionNotSupported:
            (
                "Another version of HTTP than 1.1; the gateway alone.",
                .versionNotSupported
            )
        case .requestTimeout:
            (
                "The request was not complete in time (setting `requestTimeout`); the connection is closed.",
                .requestTimeout
            )
        case .crossSiteRequest:
            (
                "Another site caused the request: an unsafe method or a WebSocket handshake with the `Origin` or the Fetch Metadata of another site.",
                .crossSiteRequest
            )
        case .serviceWorkerRefused:
            (
                "A browser fetches a service worker that is not among the app's own (setting `serviceWorkers`).",
                .serviceWorkerRefused
            )
        case .invalidCredentials:
            (
                "Wrong password, unknown or disabled account: same body, same time.",
                .invalidCredentials
            )
        case .sessionMissing:
            (
                "The request has neither the cookie nor a token.",
                .sessionMissing
            )
        case .tokenInvalid:
            (
                "A token is unparsable, forged, of another type, issuer or audience, or not yet valid.",
                .tokenInvalid
            )
        case .tokenExpired:
            (
                "The access token has expired, and no cookie renews it.",
                .tokenExpired
            )
        case .sessionExpired:
            (
                "The session is past its idle or absolute lifetime.",
                .sessionExpired
            )
        case .sessionRevoked:
            (
                "The session was ended.",
                .sessionRevoked
            )
        case .refreshTokenReused:
            (
                "A spent refresh token came; its session is now ended.",
                .refreshTokenReused
            )
        case .bindingRequired:
            (
                "The session is bound to a key, and the request has no proof of it.",
                .bindingRequired
            )
        case .insufficientUserAuthentication:
            (
                "The session's authentication is too old or too weak (RFC 9470).",
                .insufficientUserAuthentication(StepUpChallenge(maximumAge: .seconds(300), acceptedLevels: ["2"]))
            )
        case .stepUpUnavailable:
            (
                "The account cannot reach the authentication level that is demanded.",
                .stepUpUnavailable
            )
        case .rateLimited:
            (
                "Too many tries.",
                .rateLimited(retryAfter: .seconds(42))
            )
        case .accountExists:
            (
                "There is an account with this address.",
                .accountExists
            )
        case .insufficientClaims:
            (
                "The session lacks a claim that the route demands.",
                .insufficientClaims
            )
        case .serviceKeyInvalid:
            (
                "There is no service key, or it is unknown, removed, expired, or used from a network that it does not allow.",
                .serviceKeyInvalid
            )
        case .serviceScope:
            (
                "The service key does not have the scope, or not for this subject or level.",
                .serviceScope
            )
        case .serviceOnly:
            (
                "The call has `Origin` or `Sec-Fetch-Site`: a browser sent it.",
                .serviceOnly
            )
        case .subjectBlocked:
            (
                "A backend has blocked the subject.",
                .subjectBlocked
            )
        case .loginHostOnly:
            (
                "With the setting `hosts`: the request takes a password, and the host is not that of the public URL, or the session was handed over from there.",
                .loginHostOnly
            )
        case .misdirectedRequest:
            (
                "The Host, or the host of a target in absolute form, is not ours.",
                .misdirectedRequest
            )
        case .notFound:
            (
                "There is nothing here, or it is not yours.",
                .notFound
            )
        case .methodNotAllowed:
            (
                "The path has other methods, which `Allow` lists.",
                .methodNotAllowed(allow: ["POST", "OPTIONS"])
            )
        case .unavailable:
            (
                "The store or a queue is unavailable or full; nothing half-done.",
                .unavailable(retryAfter: .seconds(1))
            )
        case .upstreamUnavailable:
            (
                "The gateway cannot reach the backend, or its response is not HTTP.",
                .upstreamUnavailable
            )
        case .upstreamTimeout:
            (
                "The backend did not respond in time.",
                .upstreamTimeout
            )
        }
    }
}
