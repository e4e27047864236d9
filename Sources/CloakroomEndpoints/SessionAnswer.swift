import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import HTTPTypes
import Hummingbird
import NIOCore

/// The response of sign-up, login, refresh, step-up and session.
struct SessionAnswer: Sendable {
    let grant: SessionGrant
    /// The delivery of tokens to the session's client.
    let delivery: Delivery
    let policy: SessionPolicy
    let now: Instant

    static let schema = Schema<SessionAnswer>.object(
        "SessionAnswer",
        [
            .constant("authenticated", true), .object("user", userSchema) { $0.grant.session },
            .object("session", sessionSchema) { $0 }, .choice("delivery") { $0.delivery },
            .optionalText("access_token", help: "With hybrid and body delivery, also where `rotated` is false.") {
                $0.accessInBody.map { text($0.token) }
            },
            .optionalConstant("token_type", "Bearer") { $0.accessInBody != nil },
            .optionalText("refresh_token", help: "With body delivery, where `rotated` is true.") {
                $0.refreshInBody.map(text)
            },
        ])

    /// The response of `GET /auth/session`, which can also say that there is no session.
    static let state = Schema<SessionAnswer?>.optional(
        "SessionState", schema, orElse: .object("Nobody", [.constant("authenticated", false)]))

    static let exampleID = "maeXX9CLFRof-XxH9YLF99sC"

    private static let userSchema = Schema<Session>.object(
        "User",
        [
            .text("id", example: "u_3IoFKEZcMrRj2xhWbX-0Ug") { $0.subject.rawValue },
            .optionalText("email", example: "ann@example.com", help: "Absent where the app keeps its own accounts.") {
                $0.login
            },
        ])

    static let sessionSchema = Schema<SessionAnswer>.object(
        "Session",
        [
            .text("id", example: exampleID) { $0.grant.session.id.rawValue },
            .time("created_at") { $0.grant.session.createdAt },
            .time("auth_time", help: "When a password was last typed.") { $0.grant.authentication.time },
            .texts("amr", example: ["pwd"]) { $0.grant.authentication.methods },
            .choice("acr") { $0.grant.authentication.level }, .choice("binding") { $0.grant.session.binding },
            .seconds(
                "expires_in", example: 299,
                help: "Seconds left of the access token that the client holds with this response; 0 if it has expired."
            ) { answer in answer.held.map { ($0.expiresAt - answer.now).wholeSeconds } ?? 0 },
            .seconds("session_expires_in", example: 2_591_999, help: "Seconds left of the session.") {
                ($0.grant.session.deadline(under: $0.policy) - $0.now).wholeSeconds
            },
            .flag(
                "rotated", example: true,
                help:
                    "Whether this response hands out a refresh token that is newer than the one presented. If not, it carries neither refresh token nor cookie."
            ) { $0.grant.tokens != nil },
            .optionalSeconds(
                "renew_in",
                help:
                    "With `rotated: false` after a renewal: seconds until a renewal can bring something newer. Asking earlier is harmless."
            ) { $0.served?.renewableIn.secondsToWait },
        ])

    private var served: ServedAccess? {
        switch grant.renewal {
        case .served(let served): served
        case .renewed, nil: nil
        }
    }

    /// The access token that the client has after this response.
    private var held: VerifiedAccess? {
        switch grant.renewal {
        case .renewed(let tokens): tokens.access
        case .served(let served): served.delivery == .cookie ? grant.access : served.access
        case nil: grant.access
        }
    }

    private var accessInBody: VerifiedAccess? {
        switch grant.renewal {
        case .renewed(let tokens): tokens.delivery.putsAccessInBody ? tokens.access : nil
        case .served(let served): served.delivery.putsAccessInBody ? served.access : nil
        case nil: nil
        }
    }

    private var refreshInBody: Secret? {
        grant.tokens.flatMap { $0.delivery.putsRefreshInBody ? $0.refresh : nil }
    }

    private static func text(_ token: Secret) -> String { String(decoding: token.bytes, as: UTF8.self) }
}

/// With cookie delivery no body carries a token.
extension Delivery {
    fileprivate var putsAccessInBody: Bool {
        switch self {
        case .cookie: false
        case .hybrid, .body: true
        }
    }

    fileprivate var putsRefreshInBody: Bool {
        switch self {
        case .cookie, .hybrid: false
        case .body: true
        }
    }
}

extension Call {
    /// The response of login, refresh and session.
    func answer(_ grant: SessionGrant, status: HTTPResponse.Status = .ok) -> Response {
        let answer = SessionAnswer(
            grant: grant, delivery: sessions.client(of: grant.session).delivery, policy: sessions.policy,
            now: sessions.now)
        var response = SessionAnswer.schema.response(answer, status: status)
        handOver(grant.tokens, to: &response)
        return response
    }

    /// The response of login and sign-up, which also sets the XSRF cookie for the new session.
    func answer(new grant: SessionGrant, status: HTTPResponse.Status = .ok) -> Response {
        var response = answer(grant, status: status)
        response.hand(over: server.xsrf?.setting(for: grant.session.id, request.headers))
        return response
    }
}

extension Response {
    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(bytes: value.serialized)))
    }
}
