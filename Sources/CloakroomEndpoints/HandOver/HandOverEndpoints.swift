import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import HTTPTypes
import Hummingbird

/// The two steps of a hand-over after its start (`Call.startHandOver`). 404 without the setting `hosts`.
extension Endpoint {
    static let handOverPath = "/auth/hand-over/code"
    private static let redemptionPath = "/auth/hand-over/session"

    /// At the login host: makes a code for another host, and redirects there.
    static let handOverCode = Endpoint(
        Operation(
            .get, handOverPath, "handOverCode", "Make a code with which another host gets a session of its own",
            details:
                "At the login host, with the setting `hosts`. The code has 256 random bits, is valid for 60 seconds, once, for this host and with its flow cookie. Browsers come here by a redirect from `/auth/pages/login` of the other host; frames and `fetch` are refused.",
            tag: .hosts, security: .cookieIfAny,
            answers: [
                Answer(
                    .found, "To the other host with the code, or to the login page.",
                    headers: [.location("A URL of a host of the setting `hosts`, or a path."), .sessionCookie])
            ],
            denials: [.notFound, .rateLimited, .unavailable]),
        reads: .query(.state)
    ) { call, fields in
        try call.requireSeveralHosts(isAtLoginHost: true)
        try call.requireTopLevelNavigation()
        let state = try await fields()
        guard call.server.originPolicy.hosts.contains(state.request.host) else {
            throw Denial.invalidRequest(fields: ["state": "names a host that is not in the setting hosts"])
        }
        guard state.isPossible(at: call.sessions.now) else {
            throw Denial.invalidRequest(fields: ["state": "is of a time to come: the clocks of two servers differ"])
        }
        return try await call.answer(state)
    }

    /// At the receiving host: redeems the code, and redirects to the page that the user wanted.
    static let handOverSession = Endpoint(
        Operation(
            .get, redemptionPath, "handOverSession", "Redeem a code for a session of this host",
            details:
                "At a host of the setting `hosts`. The code is spent by the first request that presents it. A refused code is a redirect as well, to a page without the code in its URL.",
            tag: .hosts, security: .cookieIfAny,
            answers: [
                Answer(
                    .seeOther, "To the page that the user wanted, or to a page that says that it did not work.",
                    headers: [.location("A path."), .sessionCookie])
            ],
            denials: [.notFound, .unavailable]),
        reads: .query(.code)
    ) { call, fields in
        try call.requireSeveralHosts(isAtLoginHost: false)
        try call.requireTopLevelNavigation()
        let code = try await fields()
        // A client that only looks must not spend the code.
        guard call.request.method == .get, let code, let host = try call.hostBesideLogin() else {
            return call.refusedHandOver(returnTo: nil)
        }
        return try await call.redeem(code, at: host)
    }
}

extension Call {
    fileprivate func requireSeveralHosts(isAtLoginHost: Bool) throws(Denial) {
        guard !server.originPolicy.hosts.isEmpty, try (hostBesideLogin() == nil) == isAtLoginHost else {
            throw .notFound
        }
    }

    fileprivate func answer(_ state: HandOverState) async throws -> Response {
        do {
            let (answer, renewed) = try await sessions.handOver(state.request, by: refreshToken(credentials))
            var response =
                switch answer {
                case .code(let code): send(code, to: state.request.host)
                case .stepUp: logIn(state, isStepUp: true)
                }
            handOver(renewed, to: &response)
            return response
        } catch let denial as Denial {
            guard denial.isAboutTheSession else { throw denial }
            return logIn(state, isStepUp: false)
        }
    }

    private func send(_ code: Secret, to host: WebOrigin) -> Response {
        .redirect(.found, to: "\(host)/auth/hand-over/session?code=\(Base64URL.encode(code.bytes))")
    }

    /// The way to the login page, and back here afterwards.
    private func logIn(_ state: HandOverState, isStepUp: Bool) -> Response {
        let back = SameOriginPath.queryValue("\(Endpoint.handOverPath)?state=\(state.text)")
        let page = server.configuration.loginPage
        let separator = page.contains("?") ? "&" : "?"
        return .redirect(.found, to: "\(page)\(separator)return_to=\(back)\(isStepUp ? "&step_up=1" : "")")
    }

    fileprivate func redeem(_ code: Secret, at host: WebOrigin) async throws -> Response {
        let redemption = SessionService.Redemption(
            code: code, at: host, flow: flowCookie.secret(in: request.headers),
            holding: try? refreshToken(credentials), from: device)
        switch try await sessions.redeem(redemption) {
        case .begun(let grant, let returnTo):
            var response = Response.redirect(.seeOther, to: returnTo)
            handOver(grant.tokens, to: &response)
            response.hand(over: server.xsrf?.setting(for: grant.session.id, request.headers))
            return response
        case .kept(let returnTo):
            return .redirect(.seeOther, to: returnTo)
        case .refused(_, let returnTo):
            return refusedHandOver(returnTo: returnTo)
        }
    }

    /// The page that offers another try. It is a redirect, so that no page has the code in its URL.
    fileprivate func refusedHandOver(returnTo: String?) -> Response {
        let back = returnTo.map { "&return_to=\(SameOriginPath.queryValue($0))" } ?? ""
        return .redirect(.seeOther, to: "\(OriginPolicy.ownLoginPage)?error=hand_over_refused\(back)")
    }
}

extension Field where Value == HandOverState {
    private static var exampleState: JSONValue {
        """
        eyJob3N0IjoiaHR0cHM6Ly9zaG9wLmV4YW1wbGUuY29tIiwiZmxvdyI6IkJ3Y0hCd2NIQndjSEJ3Y0hCd2NIQndjSE\
        J3Y0hCd2NIQndjSEJ3Y0hCd2MiLCJzdGFydGVkX2F0IjoxNzY3MjI1NjAwMDAwLCJyZXR1cm5fdG8iOiIvY2FydCJ9
        """
    }

    fileprivate static var state: Self {
        let description = FieldDescription(
            name: "state", schema: ["type": "string"], help: "As the receiving host made it.", isRequired: true,
            example: exampleState)
        return Field(description) { values throws(Complaint) in
            guard values.count == 1, let state = values[0].stringValue.flatMap({ HandOverState(parsing: $0) }) else {
                throw Complaint("must be that of a redirect from another host")
            }
            return state
        }
    }
}

extension Field where Value == Secret? {
    /// Another text than a code counts as absent, so that every refusal looks alike.
    fileprivate static var code: Self {
        let description = FieldDescription(
            name: "code", schema: ["type": "string"], help: "As the login host made it.", isRequired: true,
            example: .string(Base64URL.encode([UInt8](repeating: 7, count: 32))))
        return Field(description) { values in
            guard values.count == 1, let text = values[0].stringValue, text.utf8.count == 43 else { return nil }
            return Base64URL.decode(Array(text.utf8)).map { Secret($0) }
        }
    }
}
