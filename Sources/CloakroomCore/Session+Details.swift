extension Session {
    /// The part of a session that a store saves as one document. Fields that the store searches by, and fields that a
    /// renewal changes, are columns of their own.
    ///
    /// A field is added here and nowhere else: as an optional, or with a new `currentVersion`.
    public struct Details: Hashable, Sendable, Codable {
        /// The version of the document that this build writes, and the only one that it reads.
        package static let currentVersion = 1

        /// The version of this document.
        package private(set) var version = Self.currentVersion
        /// The client application that started the session.
        package var client: ClientID
        /// The name that the user logs in with; nil where the app keeps its own accounts.
        package var login: String?
        /// Whether the cookie outlives the browser ("remember me").
        package var remembered: Bool
        /// The `User-Agent` at login, for the list of sessions.
        package var userAgent: String
        /// The network address at login, for the list of sessions.
        package var address: String
        /// The factors that the user presented, and when.
        package var evidence: Evidence
        /// The evidence of earlier generations whose requests may still be in flight; nil unless a step-up added to the
        /// evidence of the current generation. See `authentication(ofGeneration:)`.
        package var earlierEvidence: Evidence?
        /// The windows of earlier generations that the session left before they closed, oldest first; nil unless a
        /// step-up or a hand-over rotated inside a window. See `isStraggler`.
        package var earlierWindows: [EarlierWindow]?
        /// What a request must prove in addition to sending the cookie.
        package var binding = Binding.none
        /// nil for a session that began with a login.
        package var handedOver: HandedOver?
        /// The number of times that the session has withdrawn codes for other hosts; nil if it never made one.
        package var handOverEpoch: Int?

        /// The details of a new session.
        package init(
            client: ClientID, login: String? = nil, remembered: Bool, userAgent: String, address: String,
            evidence: Evidence, handedOver: HandedOver? = nil
        ) {
            self.client = client
            self.login = login
            self.remembered = remembered
            self.userAgent = userAgent
            self.address = address
            self.evidence = evidence
            self.handedOver = handedOver
        }
    }

    /// The straggler window of a generation that is not the current one any more.
    package struct EarlierWindow: Hashable, Sendable, Codable {
        package var generation: Int
        /// The time at which the generation was confirmed.
        package var openedAt: Instant
    }

    /// Whether the session's cookie works on its own.
    package enum Binding: String, Hashable, Sendable, Codable, CaseIterable {
        case none
    }
}
