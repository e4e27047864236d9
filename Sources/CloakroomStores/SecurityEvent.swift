public import CloakroomCore

/// Something that a security reviewer wants to find again: a log line and a row of the append-only record.
///
/// It names accounts and sessions by their ids and carries no token, password, cookie or address that a person typed
/// (people type passwords into the wrong field).
public struct SecurityEvent: Hashable, Sendable {
    /// What happened.
    public let kind: Kind
    /// When.
    public let time: Instant
    /// Whose account it is about, where that is known.
    public let subject: Subject?
    /// Which session it is about.
    public let session: SessionID?
    /// Where the request came from.
    public let address: String?
    /// What only some kinds have.
    public let details: Details

    /// An event at a time.
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

    /// The end of a session before its time.
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
        /// Recorded once for each account or network and minute, with how many they were.
        case loginRateLimited = "login_rate_limited"
        /// Recorded once for each network and minute, with how many they were.
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
        /// The store went back to a backup.
        case restore

        /// Whether it is a row of the record besides a log line. Renewals are as many as tokens, and the store keeps no
        /// row per token.
        package var isRecorded: Bool {
            switch self {
            case .renewal: false
            case .signUp, .login, .loginFailed, .loginRateLimited, .signUpRateLimited, .reuse, .adoption, .stepUp,
                .stepUpFailed, .revocation, .passwordChange, .accountDisabled, .accountEnabled, .restore:
                true
            }
        }
    }

    /// What only some kinds of events have. A store keeps it as one document.
    public struct Details: Hashable, Sendable, Codable {
        /// Why a session was ended.
        public var reason: RevocationReason?
        /// The session's generation after a renewal.
        public var generation: Int?
        /// Whose allowance was spent.
        public var payer: Payer?
        /// How many events of a minute this one stands for.
        public var count: Int?
        /// The epoch of a store that was restored.
        public var epoch: Int64?

        /// Whose allowance a refused request would have been counted against.
        public enum Payer: String, Hashable, Sendable, Codable {
            case account, network
            /// Accounts and networks beyond the number that is told apart.
            case others
        }

        /// What is given.
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

        /// What is there, by its name in logs.
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
