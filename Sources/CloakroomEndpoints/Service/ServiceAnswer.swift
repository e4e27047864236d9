import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomTokens
import HTTPTypes
import Hummingbird

/// The response to a backend that began or raised a session: the `Set-Cookie` lines for the browser, which contain the
/// tokens.
///
/// Creating one needs an `AdmittedPeer`, which only a connection of the private listener has.
struct ServiceAnswer: Sendable {
    let session: SessionAnswer
    let setCookie: [String]

    init(_ session: SessionAnswer, setCookie: [String], to _: AdmittedPeer) {
        self.session = session
        self.setCookie = setCookie
    }

    static let schema = Schema<ServiceAnswer>.object(
        "ServiceSession",
        [
            .object("session", SessionAnswer.sessionSchema) { $0.session },
            .texts(
                "set_cookie",
                example: [
                    "__Host-Http-session=<access token>~<refresh token>; Path=/; Secure; HttpOnly; SameSite=Lax"
                ]
            ) { $0.setCookie },
        ])
}

extension ServiceCall {
    /// The response with the session and its cookies, for the backend to relay as they are.
    func answer(
        _ grant: SessionGrant, to browser: BrowserRequest, status: HTTPResponse.Status = .ok
    ) -> Response {
        let session = SessionAnswer(
            grant: grant, delivery: sessions.client(of: grant.session).delivery, policy: sessions.policy,
            now: sessions.now)
        let cookies = [
            grant.tokens.flatMap { server.authorizer.cookie.setting($0, for: browser.headers) },
            server.xsrf?.setting(for: grant.session.id, browser.headers),
        ]
        return ServiceAnswer.schema.response(
            ServiceAnswer(session, setCookie: cookies.compactMap { $0 }, to: peer), status: status)
    }
}
