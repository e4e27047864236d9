package import CloakroomCore
package import CloakroomTokens

/// The parameters of a new session, besides the proof, checked against the server's policy for the client.
package struct SessionRequest: Sendable {
    package let client: Client
    package let remember: Bool
    package let device: Device
    /// The refresh token in the request's cookie. The new session takes its place in the browser, so the old session
    /// is ended.
    package let replacing: RefreshToken?
    /// The claims of the subject from now on; nil leaves them as they are.
    package var claims: Claims?
}

extension SessionService {
    /// Checks the parameters of a new session.
    /// - Parameters:
    ///   - id: nil for `Client.browser`.
    ///   - isFromBrowser: whether the request shows signs of a browser (`Origin`, Fetch Metadata).
    /// - Throws: `Denial.invalidRequest` for an unknown client, and for a client with `body` delivery when the
    ///   request comes from a browser.
    package func request(
        client id: ClientID? = nil, remember: Bool = false, device: Device, isFromBrowser: Bool = true,
        replacing: RefreshToken? = nil
    ) throws(Denial) -> SessionRequest {
        guard let client = clients[id ?? .browser] else {
            throw .invalidRequest(fields: ["client_id": "is not a client of this server"])
        }
        guard client.delivery != .body || client.allowsBody(toBrowser: isFromBrowser) else {
            throw .invalidRequest(fields: ["client_id": "is served tokens in the body, which a browser is not"])
        }
        return SessionRequest(client: client, remember: remember, device: device, replacing: replacing)
    }
}
