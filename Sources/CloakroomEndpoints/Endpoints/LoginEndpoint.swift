import CloakroomCore
import CloakroomMiddleware
import CloakroomService
import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// `POST /auth/login` `{email, password, remember?, client_id?}`
    static let login = Endpoint(.post, "/auth/login", takesForms: true) { call in
        call.answer(new: try await call.service.login(try await call.login()))
    }
}

extension Call {
    /// The fields that login and sign-up share.
    func login() async throws -> Login {
        var fields = try await fields()
        let remember = fields.optionalBool("remember") ?? false
        let client = fields.optionalString("client_id").map { ClientID($0) }
        let login = Login(
            email: try fields.email("email"), password: try fields.password("password"), remember: remember,
            client: client, device: device, isFromBrowser: isFromBrowser, replacing: try? refreshToken(credentials))
        try fields.check()
        return login
    }
}
