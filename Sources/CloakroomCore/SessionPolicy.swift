/// The lifetimes that govern a session.
public struct SessionPolicy: Hashable, Sendable {
    /// How long an access token is good for.
    public var accessTokenLifetime: Span
    /// How long after the confirmation of a generation those before it are still served, without being given tokens.
    public var stragglerWindow: Span
    /// How long the answer with a new generation is taken to be under way, before a retry is given it again.
    public var reissueDelay: Span
    /// How long a session lives without being used.
    public var idleLifetime: Span
    /// How long a session lives at most; rotation never moves it (RFC 9700 section 4.14.2).
    public var absoluteLifetime: Span

    /// How exactly it is known when a session was last used, where nothing else about it changes.
    public var sightingInterval: Span {
        min(.minutes(1), Span(milliseconds: idleLifetime.milliseconds / 10))
    }

    /// How much longer than the check an access token that is handed to a backend lives, so that it does not expire on
    /// the way: a tenth of its life, ten seconds at most.
    public var handOverMargin: Span {
        min(.seconds(10), Span(milliseconds: accessTokenLifetime.milliseconds / 10))
    }

    /// The defaults are those of the contract.
    public init(
        accessTokenLifetime: Span = .minutes(5),
        stragglerWindow: Span = .seconds(30),
        reissueDelay: Span = .seconds(2),
        idleLifetime: Span = .days(30),
        absoluteLifetime: Span = .days(90)
    ) {
        self.accessTokenLifetime = accessTokenLifetime
        self.stragglerWindow = stragglerWindow
        self.reissueDelay = reissueDelay
        self.idleLifetime = idleLifetime
        self.absoluteLifetime = absoluteLifetime
    }
}
