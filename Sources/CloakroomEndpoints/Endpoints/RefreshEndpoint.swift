import CloakroomCore
import CloakroomMiddleware
import CloakroomService
import CloakroomTokens
import Hummingbird

extension Endpoint {
    /// `POST /auth/refresh`, with the cookie, or with `{refresh_token}` for a client with body delivery.
    static let refresh = Endpoint(.post, "/auth/refresh") { call in
        var fields = try await call.fields()
        let inBody = fields.optionalString("refresh_token", maximumLength: VerifiedJWS.maximumSize)
        try fields.check()
        if let inBody { return try await call.refresh(inBody) }
        guard let cookie = call.credentials.cookie else { throw Denial.sessionMissing }
        let checked = try cookie.mapError(\.denial).get()
        return call.answer(
            try await call.service.refresh(checked.refreshToken, presenting: checked.access, from: .cookie))
    }
}

extension Call {
    fileprivate func refresh(_ text: String) async throws -> Response {
        let token: RefreshToken
        do { token = try service.verifier.verify(refreshToken: Array(text.utf8)) } catch { throw error.denial }
        return answer(
            try await service.refresh(token, presenting: nil, from: .body(isFromBrowser: isFromBrowser)))
    }
}

extension SessionTokens.Checked {
    /// The access token that came along, whatever its age.
    var access: VerifiedAccess? {
        switch self {
        case .live(let access, _): access
        case .stale(let expired, _): expired?.access
        }
    }
}
