import Testing

@testable import CloakroomCore

@Suite struct SecretTests {
    /// Not private: the name of a private type has an address in it, whose digits may be those of the secret.
    struct Holder {
        let secret = Secret(Array("hunter2".utf8))
    }

    @Test("a secret is redacted in every description")
    func redacted() {
        let holder = Holder()
        var dumped = ""
        dump(holder, to: &dumped)
        let shown = [
            "\(holder)", String(reflecting: holder), "\(holder.secret)", dumped, String(describing: [holder.secret]),
        ]
        for text in shown {
            #expect(!text.contains("hunter2"))
            #expect(!text.contains("104"), "the bytes of the secret")
        }
        #expect("\(holder.secret)" == "<redacted>")
    }

    @Test("secrets are equal when their bytes are")
    func equality() {
        #expect(Secret([1, 2]) == Secret([1, 2]))
        #expect(Secret([1, 2]) != Secret([1, 3]))
        #expect(Secret([1, 2]) != Secret([1]))
        #expect(constantTimeEqual([UInt8](), [UInt8]()))
    }
}

@Suite struct InstantTests {
    @Test("seconds are rounded down, before 1970 too")
    func seconds() {
        #expect(Instant(milliseconds: 1999).seconds == 1)
        #expect(Instant(milliseconds: -1).seconds == -1)
    }

    @Test("a span in whole seconds is rounded down and never negative")
    func wholeSeconds() {
        #expect(Span(milliseconds: 1999).wholeSeconds == 1)
        #expect(Span(milliseconds: -5000).wholeSeconds == 0)
        #expect(Span.minutes(2) == .seconds(120))
        #expect(Span.days(1) == .seconds(86400))
    }

    @Test("times and spans add up")
    func arithmetic() {
        let instant = Instant(milliseconds: 1000)
        #expect(instant + .seconds(2) - instant == .seconds(2))
        #expect(instant - .seconds(1) < instant)
        #expect(Span.seconds(1) < .seconds(2))
    }
}

@Suite struct DenialTests {
    @Test("every denial has its own code from the contract")
    func codes() {
        let denials: [Denial] = [
            .invalidRequest(fields: [:]), .unsupportedMediaType, .contentTooLarge, .crossSiteRequest,
            .invalidCredentials,
            .sessionMissing, .tokenInvalid, .tokenExpired, .sessionExpired, .sessionRevoked, .refreshTokenReused,
            .bindingRequired, .insufficientUserAuthentication(.init(maximumAge: nil, acceptedLevels: [])),
            .rateLimited(retryAfter: .zero), .accountExists, .misdirectedRequest, .headTooLarge, .requestTimeout,
            .stepUpUnavailable,
            .serviceWorkerRefused, .notFound,
            .methodNotAllowed(allow: []), .unavailable(retryAfter: .zero),
        ]
        #expect(
            denials.map(\.code) == [
                "invalid_request", "unsupported_media_type", "content_too_large", "cross_site_request",
                "invalid_credentials", "session_missing", "token_invalid", "token_expired", "session_expired",
                "session_revoked", "refresh_token_reused", "binding_required", "insufficient_user_authentication",
                "rate_limited", "account_exists", "misdirected_request", "head_too_large", "request_timeout",
                "step_up_unavailable",
                "service_worker_refused", "not_found", "method_not_allowed", "unavailable",
            ])
    }
}

@Suite struct ClientTests {
    @Test(
        "tokens go into a body only with body delivery, and to a browser only with insecureAllowBrowser",
        arguments: [
            (Delivery.cookie, false, false, false), (.hybrid, false, false, false), (.body, false, false, true),
            (.body, false, true, false), (.body, true, true, true), (.cookie, true, true, false),
        ])
    func body(_ delivery: Delivery, _ insecure: Bool, _ isBrowser: Bool, _ expected: Bool) {
        let client = Client(id: ClientID("c"), delivery: delivery, insecureAllowBrowser: insecure)
        #expect(client.allowsBody(toBrowser: isBrowser) == expected)
    }

    @Test("identifiers are described by their raw values")
    func descriptions() {
        #expect("\(SessionID("s")) \(Subject("u")) \(ClientID.browser)" == "s u browser")
        #expect(Client.browser.delivery == .cookie)
    }
}
