import CloakroomCore

/// The denials of an endpoint, besides those that every endpoint has (`Endpoint.denials`).
struct Denials: Sendable, ExpressibleByArrayLiteral {
    /// The description of one denial in the OpenAPI document.
    struct Description: Hashable, Sendable {
        var text: String
        /// Headers besides those that the denial always has.
        var headers: [AnswerHeader] = []
    }

    private(set) var descriptions: [Denial.Kind: Description]

    init(arrayLiteral kinds: Denial.Kind...) {
        self.init(kinds)
    }

    init(_ kinds: some Sequence<Denial.Kind>) {
        descriptions = Dictionary(kinds.map { ($0, Description(text: $0.reason)) }) { $1 }
    }

    /// The request presents no session, or one that is not valid.
    static let session: Denials = [
        .sessionMissing, .tokenInvalid, .tokenExpired, .sessionExpired, .sessionRevoked, .refreshTokenReused,
        .unavailable,
    ]

    /// The body cannot be read.
    static let body: Denials = [.invalidRequest, .unsupportedMediaType, .contentTooLarge]

    /// The head of a request cannot be read, or the request does not end in time.
    static let everyConnection: Denials = [.invalidRequest, .misdirectedRequest, .headTooLarge, .requestTimeout]

    /// The headers that a browser adds forbid the request.
    static let everyBrowser: Denials = [.crossSiteRequest, .serviceWorkerRefused]

    /// Merges two lists. If both describe a denial, the description in `more` counts.
    static func + (some: Denials, more: Denials) -> Denials {
        var sum = some
        sum.descriptions.merge(more.descriptions) { $1 }
        return sum
    }

    /// Replaces the description of a denial, which by default is `Denial.Kind.reason`.
    func describing(_ kind: Denial.Kind, _ text: String, headers: [AnswerHeader] = []) -> Denials {
        var denials = self
        denials.descriptions[kind] = Description(text: text, headers: headers)
        return denials
    }
}
