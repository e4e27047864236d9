import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// The checks that allow without I/O, and those that renew. The endpoint of the check answers all others; it reads them
/// with the same `CheckRequest` and decides them with the same `AccessQuestion`.
struct CheckFastPath: FastPath {
    private let rules: CheckRules
    private let endpoint: CheckEndpoint
    private let peer: AdmittedPeer
    private let log: DenialLog
    private let failures: SampledLog
    private let observe: @Sendable (Int, Duration) -> Void

    /// - Parameter observe: called with the status of each response and the time that it took.
    init(
        _ server: AuthorizationServer, peer: AdmittedPeer, observe: @escaping @Sendable (Int, Duration) -> Void
    ) {
        rules = server.checkRules
        self.peer = peer
        log = DenialLog(logger: server.logger)
        failures = SampledLog(logger: server.logger)
        endpoint = CheckEndpoint(rules, log: failures)
        self.observe = observe
    }

    enum Answer: FastAnswer {
        case allowed(CheckAnswer)
        case other(WireAnswer)

        func writeHead(to buffer: inout ByteBuffer) {
            switch self {
            case .allowed(let answer): answer.writeHead(to: &buffer)
            case .other(let answer): answer.writeHead(to: &buffer)
            }
        }

        var body: [UInt8] {
            switch self {
            case .allowed: []
            case .other(let answer): answer.body
            }
        }

        fileprivate var status: Int {
            switch self {
            case .allowed(let answer): answer.status.rawValue
            case .other(let answer): Int(answer.status.code)
            }
        }
    }

    func decide(_ head: HTTPRequestHead) -> FastDecision<Answer>? {
        guard head.method == .GET, let parameters = try? CheckParameters(head.uri), !parameters.refuses,
            let check = try? CheckRequest(
                method: head.method.rawValue, authority: head.headers.first(name: "host"), parameters: parameters,
                headers: DecidingHeaders(head.headers.lazy.map { (name: $0.name, value: $0.value) })),
            !check.isAllowedPreflight(under: rules.originPolicy),
            (try? check.checkOrigin(under: rules)) != nil
        else { return nil }
        let credentials = check.credentials(under: rules)
        guard let access = rules.authorizer.authorizeAtOnce(credentials, demanding: parameters.demand) else {
            guard rules.authorizer.renews(credentials, demanding: parameters.demand) else { return nil }
            return .later { await answer(check, asking: head) }
        }
        guard (try? parameters.check(access.claims)) != nil else { return nil }
        return .now(.allowed(CheckAnswer(allowing: access, under: parameters, to: peer)))
    }

    private func answer(_ check: CheckRequest, asking head: HTTPRequestHead) async -> Answer {
        do {
            let response = try await endpoint.respond(to: check, from: peer)
            return .other(
                WireAnswer(
                    status: .init(statusCode: response.status.code),
                    fields: response.headers.filter { $0.name != .contentLength }
                        .map { (name: $0.name.rawName, value: $0.value) },
                    body: []))
        } catch let denial as Denial {
            let asked = LoggedRequest(
                method: head.method.rawValue, path: CheckParameters.path, host: head.headers.first(name: "host") ?? "",
                origin: check.headers[.origin], secFetchSite: check.headers[.secFetchSite],
                isPreflight: check.headers[.accessControlRequestMethod] != nil)
            log.write(denial, of: asked, check.forwarded.metadata)
            return .other(WireAnswer(denial.problem))
        } catch {
            failures.error("a request failed", metadata: ["path": "\(CheckParameters.path)", "error": "\(error)"])
            return .other(WireAnswer(Denial.unavailable(retryAfter: .seconds(1)).problem))
        }
    }

    func observe(_ answer: Answer, _ duration: Duration) {
        observe(answer.status, duration)
    }
}

extension CheckAnswer {
    fileprivate func writeHead(to buffer: inout ByteBuffer) {
        switch status {
        case .ok: buffer.writeStaticString("HTTP/1.1 200 OK\r\n")
        case .noContent: buffer.writeStaticString("HTTP/1.1 204 No Content\r\n")
        }
        write(to: &buffer)
        if status == .ok { buffer.writeStaticString("Content-Length: 0\r\n") }
    }
}
