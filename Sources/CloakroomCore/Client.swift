/// How the server sends tokens to a client. The settings of the client decide; no request can change it.
public enum Delivery: String, Hashable, Sendable, CaseIterable {
    /// Both tokens in one HttpOnly cookie.
    case cookie
    /// The refresh token in the HttpOnly cookie, the access token in the response body for the page's memory.
    case hybrid
    /// Both tokens in the response body: native apps and command lines.
    case body
}

/// A client application that may log users in.
public struct Client: Hashable, Sendable {
    /// The value of the claim `client_id`.
    public let id: ClientID
    /// How the server sends tokens to it.
    public let delivery: Delivery
    /// Sends a browser tokens in the response body, where every script of the page can read them.
    public let insecureAllowBrowser: Bool

    /// Takes the settings of a client. Only `insecureAllowBrowser` makes them less safe.
    public init(id: ClientID, delivery: Delivery, insecureAllowBrowser: Bool = false) {
        self.id = id
        self.delivery = delivery
        self.insecureAllowBrowser = insecureAllowBrowser
    }

    /// The client of a login request that names none.
    public static let browser = Client(id: .browser, delivery: .cookie)

    /// Whether the server may send tokens in the response body.
    /// - Parameter isBrowser: whether the request looks like a browser's.
    public func allowsBody(toBrowser isBrowser: Bool) -> Bool {
        delivery == .body && (!isBrowser || insecureAllowBrowser)
    }
}
