extension Session {
    /// What a store keeps of a session as one document, beside the columns that it searches by and that a renewal changes.
    ///
    /// A field is added here and nowhere else: as an optional, or with a new `currentVersion`.
    public struct Details: Hashable, Sendable, Codable {
        /// The version of the document that this build writes, and the only one that it reads.
        public static let currentVersion = 1

        /// Which version the document has.
        public private(set) var version = Self.currentVersion
        /// The client application that it was begun by.
        public var client: ClientID
        /// The name that the person logs in with; nil where the app keeps its own accounts.
        public var login: String?
        /// Whether the cookie outlives the browser ("remember me").
        public var remembered: Bool
        /// The `User-Agent` at login, for the list of sessions.
        public var userAgent: String
        /// The network address at login, for the list of sessions.
        public var address: String
        /// Which factors were shown.
        public package(set) var evidence: Evidence
        /// The evidence of earlier generations whose requests may still be under way, where a step-up has added to that of
        /// the current one; see `authentication(ofGeneration:)`.
        public package(set) var earlierEvidence: Evidence?
        /// What a cookie must be accompanied by.
        public package(set) var binding = Binding.none

        /// The details of a new session.
        public init(
            client: ClientID, login: String? = nil, remembered: Bool, userAgent: String, address: String,
            evidence: Evidence
        ) {
            self.client = client
            self.login = login
            self.remembered = remembered
            self.userAgent = userAgent
            self.address = address
            self.evidence = evidence
        }
    }

    /// Whether the session's cookie works on its own.
    public enum Binding: String, Hashable, Sendable, Codable, CaseIterable {
        case none
    }
}
