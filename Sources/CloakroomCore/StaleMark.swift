/// One entry of the feed of revocations: the access tokens of a subject that were issued at this time or before count as
/// expired, because its claims changed. The next request renews the session, which does not end.
public struct StaleMark: Hashable, Sendable {
    /// The subject of the tokens.
    public let subject: Subject
    /// Tokens with a later `iat` are not stale.
    public let time: Instant

    /// Takes the subject and the time.
    public init(subject: Subject, time: Instant) {
        self.subject = subject
        self.time = time
    }
}
