public import CloakroomCore

/// An event for security reviews: a log line and a row of the append-only record.
///
/// It names accounts and sessions by their ids and carries no token, password, cookie or address that a user typed
/// (users type passwords into the wrong field).
public struct SecurityEvent: Hashable, Sendable {
    /// What happened.
    public let kind: Kind
    /// When it happened.
    public let time: Instant
    /// The account, if known.
    public let subject: Subject?
    /// The session; nil if the event concerns none.
    public let session: SessionID?
    /// The network address of the client, if recorded.
    public let address: String?
    /// Fields that only some kinds have.
    public let details: Details

    /// Takes the kind, the time and what is known.
    public init(
        _ kind: Kind, at time: Instant, subject: Subject? = nil, session: SessionID? = nil, address: String? = nil,
        details: Details = Details()
    ) {
        self.kind = kind
        self.time = time
        self.subject = subject
        self.session = session
        self.address = address
        self.details = details
    }

    /// The event of a revocation.
    public static func revocation(
        of session: SessionID, subject: Subject, reason: RevocationReason, at time: Instant
    ) -> SecurityEvent {
        SecurityEvent(.revocation, at: time, subject: subject, session: session, details: Details(reason: reason))
    }
}

extension SecurityEvent {
    /// What happened, by its name in logs, counters and the record.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case signUp = "sign_up"
        case login
        case loginFailed = "login_failed"
        /// Recorded once for each account or network and minute, with the number of requests.
        case loginRateLimited = "login_rate_limited"
        /// Recorded once for each network and minute, with the number of requests.
        case signUpRateLimited = "signup_rate_limited"
        case renewal
        case reuse = "refresh_token_reused"
        case adoption
        case stepUp = "step_up"
        case stepUpFailed = "step_up_failed"
        case revocation
        case passwordChange = "password_change"
        case accountDisabled = "account_disabled"
        case accountEnabled = "account_enabled"
        /// The store was restored from a backup.
        case restore

        /// Whether the event is saved as a row besides the log line. There are as many renewals as tokens, and a
        /// store saves no row per token.
        package var isRecorded: Bool {
            switch self {
            case .renewal: false
            case .signUp, .login, .loginFailed, .loginRateLimited, .signUpRateLimited, .reuse, .adoption, .stepUp,
                .stepUpFailed, .revocation, .passwordChange, .accountDisabled, .accountEnabled, .restore:
                true
            }
        }
    }

    /// Fields that only some kinds of events have. A store saves them as one document.
    public struct Details: Hashable, Sendable, Codable {
        /// Why a session was ended.
        public var reason: RevocationReason?
        /// The session's generation after a renewal.
        public var generation: Int?
        /// The rate limit that refused the request.
        public var payer: Payer?
        /// The number of events of one minute that this one represents.
        public var count: Int?
        /// The epoch of a store that was restored.
        public var epoch: Int64?

        /// The kind of rate limit that refused a request.
        public enum Payer: String, Hashable, Sendable, Codable {
            case account, network
            /// The shared limit of all accounts and networks beyond the number that the limiter distinguishes.
            case others
        }

        /// Takes the fields that the kind has.
        public init(
            reason: RevocationReason? = nil, generation: Int? = nil, payer: Payer? = nil, count: Int? = nil,
            epoch: Int64? = nil
        ) {
            self.reason = reason
            self.generation = generation
            self.payer = payer
            self.count = count
            self.epoch = epoch
        }

        /// A value of a detail.
        package enum Value: Hashable, Sendable, CustomStringConvertible {
            case text(String)
            case number(Int64)

            package var description: String {
                switch self {
                case .text(let text): text
                case .number(let number): "\(number)"
                }
            }
        }

        /// The fields that are set, by their names in logs.
        package var named: [(name: String, value: Value)] {
            let all: [(String, Value?)] = [
                ("reason", (reason?.rawValue).map(Value.text)), ("generation", generation.map { .number(Int64($0)) }),
                ("payer", (payer?.rawValue).map(Value.text)), ("count", count.map { .number(Int64($0)) }),
                ("epoch", epoch.map(Value.number)),
            ]
            return all.compactMap { name, value in value.map { (name, $0) } }
        }
    }
}
