import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import HTTPTypes
import Logging
import NIOHTTP1

/// `POST /auth/refresh` with the cookie. `Endpoint.refresh` answers requests with a body, and all that are refused before
/// the store is asked.
struct RenewalFastPath: FastPath {
    static let path = "/auth/refresh"

    private let server: AuthorizationServer
    private let log: DenialLog
    private let failures: SampledLog
    private let observe: @Sendable (Int, Duration) -> Void

    /// - Parameter observe: called with the status of each response and the time that it took.
    init(_ server: AuthorizationServer, observe: @escaping @Sendable (Int, Duration) -> Void) {
        self.server = server
        log = DenialLog(logger: server.logger)
        failures = SampledLog(logger: server.logger)
        self.observe = observe
    }

    func decide(_ head: HTTPRequestHead) -> FastDecision<WireAnswer>? {
        guard head.method == .POST, head.uri == Self.path, let host = head.headers.first(name: "host"),
            server.originPolicy.isOurs(targetAuthority: host)
        else { return nil }
        let headers = DecidingHeaders(head.headers.lazy.map { (name: $0.name, value: $0.value) })
        guard let presented = presented(headers, to: host) else { return nil }
        return .later { await answer(presented, headers, host) }
    }

    private struct Presented {
        let token: RefreshToken
        let access: VerifiedAccess?
    }

    /// The tokens of the cookie; nil if the request must be refused.
    private func presented(_ headers: DecidingHeaders, to host: String) -> Presented? {
        guard headers[.serviceWorker] == nil, headers[.secWebSocketKey] == nil else { return nil }
        let cookies = headers.cookies(named: server.authorizer.cookie)
        var request = OriginPolicy.Request(
            method: "POST", host: host, origin: headers.values(.origin),
            secFetchSite: headers.values(.secFetchSite), carriesOurCookie: false)
        request.read(headers, cookies: cookies, server.xsrf)
        let sessionHost = server.originPolicy.sessionHost(forHost: host)
        let credentials = RequestCredentials(
            cookies: cookies, authorization: headers.values(.authorization), to: sessionHost,
            verifier: server.authorizer.verifier, at: server.authorizer.now())
        guard (try? server.originPolicy.check(request)) != nil, case .success(let half)? = credentials.refresh,
            let token = try? server.sessions.read(refreshToken: half.bytes.bytes, at: sessionHost)
        else { return nil }
        return Presented(token: token, access: try? credentials.cookie?.get().access)
    }

    private func answer(_ presented: Presented, _ headers: DecidingHeaders, _ host: String) async -> WireAnswer {
        var answer: WireAnswer
        do {
            answer = renewed(
                try await server.sessions.refresh(presented.token, presenting: presented.access, from: .cookie), headers
            )
        } catch let denial as Denial {
            log.write(
                denial,
                of: LoggedRequest(
                    method: "POST", path: Self.path, host: host, origin: headers[.origin],
                    secFetchSite: headers[.secFetchSite], isPreflight: false))
            answer = WireAnswer(denial.problem)
        } catch {
            // A full disk, a locked file, a lost database: nothing was committed, and the client gets no details.
            failures.error("a request failed", metadata: ["path": "\(Self.path)", "error": "\(error)"])
            answer = WireAnswer(Denial.unavailable(retryAfter: .seconds(1)).problem)
        }
        answer.fields += CrossOriginSharing<BasicSessionRequestContext>.fields(
            for: headers[.origin], under: server.originPolicy
        ).map { (name: $0.name.rawName, value: $0.value) }
        return answer
    }

    private func renewed(_ grant: SessionGrant, _ headers: DecidingHeaders) -> WireAnswer {
        let sessions = server.sessions
        let content = SessionAnswer(
            grant: grant, delivery: sessions.client(of: grant.session).delivery, policy: sessions.policy,
            now: sessions.now)
        var fields = [
            (name: "Content-Type", value: "application/json; charset=utf-8"),
            (name: "Cache-Control", value: "no-store"),
        ]
        let agent = headers[.userAgent] ?? ""
        if let cookie = grant.tokens.flatMap({ server.authorizer.cookie.setting($0, userAgent: agent) }) {
            fields.append((name: "Set-Cookie", value: cookie))
        }
        return WireAnswer(status: .ok, fields: fields, body: SessionAnswer.schema.write(content).serialized)
    }

    func observe(_ answer: WireAnswer, _ duration: Duration) {
        observe(Int(answer.status.code), duration)
    }
}
