/// The lifetimes that govern a session.
public struct SessionPolicy: Hashable, Sendable {
    /// The lifetime of an access token.
    public var accessTokenLifetime: Span
    /// The time after the confirmation of a generation during which requests of earlier generations are still served,
    /// without getting tokens.
    public var stragglerWindow: Span
    /// The time during which the response with a new generation counts as in flight. After it, a retry gets the same
    /// refresh token again.
    public var reissueDelay: Span
    /// The lifetime of a session without requests.
    public var idleLifetime: Span
    /// The maximum lifetime of a session; rotation never extends it (RFC 9700 section 4.14.2).
    public var absoluteLifetime: Span
    /// The maximum number of straggler windows of one session that are open at once. Beyond it, step-ups and hand-overs
    /// do not rotate.
    package var openWindows: Int

    /// The precision of `lastSeenAt`: activity that changes nothing else is saved at most once in this time.
    package var sightingInterval: Span {
        min(.minutes(1), Span(milliseconds: idleLifetime.milliseconds / 10))
    }

    /// The minimum remaining lifetime of an access token that goes to a backend, so that it does not expire on the way:
    /// a tenth of its lifetime, ten seconds at most.
    package var handOverMargin: Span {
        min(.seconds(10), Span(milliseconds: accessTokenLifetime.milliseconds / 10))
    }

    /// The default lifetimes.
    public init() {
        self.init(accessTokenLifetime: .minutes(5))
    }

    package init(
        accessTokenLifetime: Span = .minutes(5),
        stragglerWindow: Span = .seconds(30),
        reissueDelay: Span = .seconds(2),
        idleLifetime: Span = .days(30),
        absoluteLifetime: Span = .days(90),
        openWindows: Int = 16
    ) {
        self.accessTokenLifetime = accessTokenLifetime
        self.stragglerWindow = stragglerWindow
        self.reissueDelay = reissueDelay
        self.idleLifetime = idleLifetime
        self.absoluteLifetime = absoluteLifetime
        self.openWindows = openWindows
    }
}
