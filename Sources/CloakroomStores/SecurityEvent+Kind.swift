extension SecurityEvent {
    /// What happened, by its name in logs, counters and the record.
    ///
    /// A record may have kinds that a newer version wrote. They have the name alone, and `isKnown` is false.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// The name.
        public let rawValue: String
        package let traits: Traits?

        /// Takes a name as `rawValue` returns it.
        public init(rawValue: String) {
            self = Self.byName[rawValue] ?? Self(rawValue, nil)
        }

        private init(_ rawValue: String, _ traits: Traits?) {
            self.rawValue = rawValue
            self.traits = traits
        }

        /// Whether this version writes events of this kind.
        public var isKnown: Bool { traits != nil }

        /// Whether both have the same name.
        public static func == (one: Self, other: Self) -> Bool { one.rawValue == other.rawValue }

        /// Hashes the name.
        public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
    }
}

extension SecurityEvent.Kind {
    /// How a kind of events is logged and saved.
    package struct Traits: Sendable {
        /// The severity of the log line.
        package enum Severity: Sendable {
            case debug, info, warning
        }

        package var severity = Severity.info
        /// Whether a client without a session can cause such events at will; their log lines are sampled.
        package var isSampled = false
        /// Whether the event is saved as a row besides the log line.
        package var isRecorded = true
    }

    package var isRecorded: Bool { traits?.isRecorded ?? true }

    /// An account was created.
    public static let signUp = Self("sign_up", .init(isSampled: true))
    /// A session began.
    public static let login = Self("login", .init())
    /// A login with a wrong password, or to an account that does not exist or is disabled.
    public static let loginFailed = Self("login_failed", .init(isSampled: true))
    /// Recorded once for each account or network and minute, with the number of requests.
    public static let loginRateLimited = Self("login_rate_limited", .init(isSampled: true))
    /// Recorded once for each network and minute, with the number of requests.
    public static let signUpRateLimited = Self("signup_rate_limited", .init(isSampled: true))
    /// A rotation. Not recorded: there are as many as tokens, and a store saves no row per token.
    public static let renewal = Self("renewal", .init(severity: .debug, isRecorded: false))
    /// A spent refresh token came, and its session was revoked.
    public static let reuse = Self("refresh_token_reused", .init(severity: .warning))
    /// The store had lost history and continued at the client's generation.
    public static let adoption = Self("adoption", .init(severity: .warning))
    /// A fresh authentication within a session.
    public static let stepUp = Self("step_up", .init())
    /// A step-up with a wrong password.
    public static let stepUpFailed = Self("step_up_failed", .init(isSampled: true))
    /// A host got a session of its own, with a code of the login host.
    public static let handOver = Self("hand_over", .init())
    /// A host refused a code. Recorded if the code was one of the login host; only logged if there is no such code.
    public static let handOverRefused = Self("hand_over_refused", .init(isSampled: true))
    /// A session ended before its expiry.
    public static let revocation = Self("revocation", .init())
    /// A new password was set.
    public static let passwordChange = Self("password_change", .init())
    /// An administrator disabled an account.
    public static let accountDisabled = Self("account_disabled", .init())
    /// An administrator enabled an account.
    public static let accountEnabled = Self("account_enabled", .init())
    /// A backend replaced the claims of a subject.
    public static let claimsChange = Self("claims_change", .init())
    /// A backend blocked a subject, which ended its sessions.
    public static let subjectBlocked = Self("subject_blocked", .init())
    /// A backend admitted a blocked subject again.
    public static let subjectUnblocked = Self("subject_unblocked", .init())
    /// A use of the service API that records no event of another kind. Calls that only read are recorded once a minute for
    /// each credential and operation.
    public static let serviceCall = Self("service_call", .init(severity: .debug))
    /// A call with a wrong, expired or missing key, or from a network that the key does not allow.
    public static let serviceKeyRefused = Self("service_key_refused", .init(isSampled: true))
    /// A credential of a backend was added.
    public static let credentialAdded = Self("credential_added", .init())
    /// A credential of a backend was removed.
    public static let credentialRemoved = Self("credential_removed", .init())
    /// The store was restored from a backup.
    public static let restore = Self("restore", .init(severity: .warning))

    /// The kinds that this version writes.
    package static let all: [Self] = [
        signUp, login, loginFailed, loginRateLimited, signUpRateLimited, renewal, reuse, adoption, stepUp, stepUpFailed,
        handOver, handOverRefused, revocation, passwordChange, accountDisabled, accountEnabled, claimsChange,
        subjectBlocked, subjectUnblocked,
        serviceCall, serviceKeyRefused, credentialAdded, credentialRemoved, restore,
    ]

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.rawValue, $0) })
}
