/// How a client's tokens reach it: the server's policy for that client. Nothing in a request can change it.
public enum Delivery: String, Hashable, Sendable, CaseIterable {
    /// Both tokens in one HttpOnly cookie.
    case cookie
    /// The refresh token in the HttpOnly cookie, the access token in the response body for the page's memory.
    case hybrid
    /// Both tokens in the response body: native apps and command lines.
    case body
}

/// A client application that may log people in.
public struct Client: Hashable, Sendable {
    /// Its name.
    public let id: ClientID
    /// How its tokens reach it.
    public let delivery: Delivery
    /// Lets a browser have tokens in a body, where any script of the page can read them.
    public let insecureAllowBrowser: Bool

    /// A client. Only `insecureAllowBrowser` loosens anything.
    public init(id: ClientID, delivery: Delivery, insecureAllowBrowser: Bool = false) {
        self.id = id
        self.delivery = delivery
        self.insecureAllowBrowser = insecureAllowBrowser
    }

    /// The client of a login that names none.
    public static let browser = Client(id: .browser, delivery: .cookie)

    /// Whether tokens in a body may go to a requester that looks like this.
    public func allowsBody(toBrowser isBrowser: Bool) -> Bool {
        delivery == .body && (!isBrowser || insecureAllowBrowser)
    }
}
