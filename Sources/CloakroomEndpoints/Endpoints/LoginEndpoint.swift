import CloakroomAccounts
import CloakroomCore
import CloakroomMiddleware
import CloakroomSessions
import CloakroomStores
import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// `POST /auth/login` `{email, password, remember?, client_id?}`
    static let login = Endpoint(.post, "/auth/login", takesForms: true) { call in
        let login = try await call.login()
        let proof = try await call.accounts.prove(
            login.email, login.password, from: call.device, holding: login.session.replacing)
        return call.answer(new: try await call.sessions.begin(proof, login.session))
    }
}

/// What login and sign-up read.
struct Login: Sendable {
    let email: EmailAddress
    let password: Password
    /// The session that is asked for.
    let session: SessionRequest
}

extension Call {
    /// The fields that login and sign-up share.
    func login() async throws -> Login {
        var fields = try await fields()
        let remember = fields.optionalBool("remember") ?? false
        let client = fields.optionalString("client_id").map { ClientID($0) }
        let (email, password) = (try fields.email("email"), try fields.password("password"))
        try fields.check()
        let session = try sessions.request(
            client: client, remember: remember, device: device, isFromBrowser: isFromBrowser,
            replacing: try? refreshToken(credentials))
        return Login(email: email, password: password, session: session)
    }
}
