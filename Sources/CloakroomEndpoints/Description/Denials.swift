import CloakroomCore

/// The denials that an endpoint may answer, besides those that every endpoint may (`Endpoint.denials`).
struct Denials: Sendable, ExpressibleByArrayLiteral {
    /// What the OpenAPI document says about one of them.
    struct Description: Hashable, Sendable {
        var text: String
        /// Besides those that the denial always has.
        var headers: [AnswerHeader] = []
    }

    private(set) var descriptions: [Denial.Kind: Description]

    init(arrayLiteral kinds: Denial.Kind...) {
        self.init(kinds)
    }

    init(_ kinds: some Sequence<Denial.Kind>) {
        descriptions = Dictionary(kinds.map { ($0, Description(text: $0.reason)) }) { $1 }
    }

    /// A session was presented that gives no authority, or none was.
    static let session: Denials = [
        .sessionMissing, .tokenInvalid, .tokenExpired, .sessionExpired, .sessionRevoked, .refreshTokenReused,
        .unavailable,
    ]

    /// A body cannot be read.
    static let body: Denials = [.invalidRequest, .unsupportedMediaType, .contentTooLarge]

    /// The head of a request cannot be read, or the request does not end in time.
    static let everyConnection: Denials = [.invalidRequest, .misdirectedRequest, .headTooLarge, .requestTimeout]

    /// What browsers say about a request forbids it.
    static let everyBrowser: Denials = [.crossSiteRequest, .serviceWorkerRefused]

    /// The denials of both; the descriptions are those of `more` where both describe one.
    static func + (some: Denials, more: Denials) -> Denials {
        var sum = some
        sum.descriptions.merge(more.descriptions) { $1 }
        return sum
    }

    /// Says something else about one of them than `Denial.Kind.reason` does.
    func describing(_ kind: Denial.Kind, _ text: String, headers: [AnswerHeader] = []) -> Denials {
        var denials = self
        denials.descriptions[kind] = Description(text: text, headers: headers)
        return denials
    }
}
