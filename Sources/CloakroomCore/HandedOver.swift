/// How a session of a host came from a session at the login host (`docs/several-hosts.md`).
package struct HandedOver: Hashable, Sendable, Codable {
    /// The session at the login host. Its end is the end of this session, too.
    package let parent: SessionID
    /// The host that has the session's cookie, with its port if it is not the default one.
    package let host: String
    /// The state of the parent when it made the code.
    package let point: HandOverPoint

    package init(parent: SessionID, host: String, point: HandOverPoint) {
        self.parent = parent
        self.host = host
        self.point = point
    }

    /// The maximum number of live sessions that one session is handed over to.
    package static let mostOfOneParent = 64
}

extension Session {
    /// The session at the login host from which this one was handed over; nil for a session that began with a login.
    public var parent: SessionID? { details.handedOver?.parent }
}
