/// How a session of a host came from a session at the login host (`docs/several-hosts.md`).
package struct HandedOver: Hashable, Sendable, Codable {
    /// The session at the login host. Whatever ends it ends this session, too.
    package let parent: SessionID
    /// The host that has the session's cookie, with its port if it is not the default one.
    package let host: String

    package init(parent: SessionID, host: String) {
        self.parent = parent
        self.host = host
    }

    /// The maximum number of live sessions that one session is handed over to.
    package static let mostOfOneParent = 64
}

extension Session {
    /// The session at the login host from which this one was handed over; nil for a session that began with a login.
    public var parent: SessionID? { details.handedOver?.parent }

    /// The evidence behind the level of one of the session's access tokens; nil if the session has another level by
    /// now. A stolen copy from before a step-up must not pass the fresh level on to another host.
    package func factors(behind authentication: Authentication) -> Evidence? {
        [details.evidence, details.earlierEvidence].compactMap { $0 }
            .first { $0.authentication.inWholeSeconds == authentication }
    }
}
