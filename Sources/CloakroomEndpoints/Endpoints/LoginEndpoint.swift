import CloakroomAccounts
import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomStores
import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// Checks a password and begins a session.
    static let login = Endpoint(
        Operation(
            .post, "/auth/login", "login", "Log in", tag: .sessions,
            answers: [
                Answer(
                    .ok,
                    "Logged in. Always a new session id; a live session that came along in the cookie is ended.",
                    .json(SessionAnswer.schema), headers: [.sessionCookie])
            ],
            denials: [.invalidCredentials, .rateLimited, .subjectBlocked, .loginHostOnly, .unavailable]),
        reads: .jsonOrForm(.email, .password(), .remember, .client)
    ) { call, fields in
        try call.requireLoginHost()
        // For the session that is ended.
        _ = try? await call.server.authorizer.withKnownKeys(call.credentials)
        let login = try call.login(await fields())
        let proof = try await call.accounts.prove(
            login.email, login.password, from: call.device, holding: login.session.replacing)
        return call.answer(new: try await call.sessions.begin(proof, login.session))
    }
}

/// The input of login and sign-up.
struct Login: Sendable {
    let email: EmailAddress
    let password: Password
    /// The parameters of the new session.
    let session: SessionRequest
}

extension Call {
    /// Combines the fields of login and sign-up with the client data of the request.
    func login(
        _ fields: (email: EmailAddress, password: Password, remember: Bool, client: ClientID?)
    ) throws(Denial) -> Login {
        let session = try sessions.request(
            client: fields.client, remember: fields.remember, device: device, isFromBrowser: isFromBrowser,
            replacing: try? refreshToken(credentials))
        return Login(email: fields.email, password: fields.password, session: session)
    }
}
