public import CloakroomCore

/// Something that a security reviewer wants to find again: a log line and a row of the append-only record.
///
/// It names accounts and sessions by their ids and carries no token, password, cookie or address that a person typed
/// (people type passwords into the wrong field).
public struct SecurityEvent: Hashable, Sendable {
    /// What happened.
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

        /// Whether it is a row of the record besides a log line. Renewals are as many as tokens, and the store keeps
        /// no row per token.
        package var isRecorded: Bool {
            switch self {
            case .renewal: false
            case .signUp, .login, .loginFailed, .loginRateLimited, .signUpRateLimited, .reuse, .adoption, .stepUp,
                .stepUpFailed, .revocation, .passwordChange, .accountDisabled, .accountEnabled, .restore:
                true
            }
        }
    }

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
    /// Kind-specific facts, such as a revocation's reason.
    public let detail: String?

    /// An event at a time.
    public init(
        _ kind: Kind, at time: Instant, subject: Subject? = nil, session: SessionID? = nil, address: String? = nil,
        detail: String? = nil
    ) {
        self.kind = kind
        self.time = time
        self.subject = subject
        self.session = session
        self.address = address
        self.detail = detail
    }
}
