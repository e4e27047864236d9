/// How the server sends tokens to a client. The settings of the client decide; no request can change it.
package enum Delivery: String, Hashable, Sendable, CaseIterable {
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
    package let delivery: Delivery
    /// Sends a browser tokens in the response body, where every script of the page can read them.
    package let insecureAllowBrowser: Bool

    /// A browser app: both tokens in the HttpOnly cookie.
    public static func cookie(_ id: ClientID) -> Client { Client(id: id, delivery: .cookie) }

    /// A front end that must call an API on another site: the access token in the response body, for the page's memory.
    public static func hybrid(_ id: ClientID) -> Client { Client(id: id, delivery: .hybrid) }

    /// A native app or a command line: both tokens in the response body.
    /// - Parameter insecureAllowBrowser: sends them to browsers too, where every script of the page can read them.
    public static func body(_ id: ClientID, insecureAllowBrowser: Bool = false) -> Client {
        Client(id: id, delivery: .body, insecureAllowBrowser: insecureAllowBrowser)
    }

    package init(id: ClientID, delivery: Delivery, insecureAllowBrowser: Bool = false) {
        self.id = id
        self.delivery = delivery
        self.insecureAllowBrowser = insecureAllowBrowser
    }

    /// The client of a login request that names none.
    package static let browser = Client(id: .browser, delivery: .cookie)

    /// Whether the server may send tokens in the response body.
    /// - Parameter isBrowser: whether the request looks like a browser's.
    package func allowsBody(toBrowser isBrowser: Bool) -> Bool {
        delivery == .body && (!isBrowser || insecureAllowBrowser)
    }
}
