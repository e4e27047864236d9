/// One session of one subject: everything that a store keeps about it, in one row.
///
/// A value without I/O. Each event is a method that changes the value and returns what happened: `refresh`, `confirm`,
/// `stepUp`, `revoke`. The members of `details` can be read as members of the session.
@dynamicMemberLookup
public struct Session: Hashable, Sendable {
    /// The claim `sid`.
    public let id: SessionID
    /// The account (claim `sub`).
    public let subject: Subject
    /// 256 random bits that only the store has. A refresh token is derived from them and from a key of the key ring.
    package let secret: Secret
    /// The time of the login.
    public let createdAt: Instant
    /// The absolute end of life, fixed at login. Also the refresh tokens' `exp`.
    public let expiresAt: Instant

    /// The number of the current refresh token; 0 at login.
    package internal(set) var generation: Int
    /// Whether a request has carried a token of the current generation.
    package internal(set) var confirmation: Confirmation
    /// The time of the last rotation. Also the `iat` of its refresh token, so that the bytes never change.
    package internal(set) var rotatedAt: Instant
    /// Which key (`kid`) signs the current generation's refresh token.
    package internal(set) var refreshKey: String
    /// The oldest generation that can be a straggler. Every request of an earlier one has arrived: presenting it is a
    /// reuse. See `isStraggler`.
    package internal(set) var stragglersFrom: Int
    /// When the server last sent the current refresh token.
    package internal(set) var handedOutAt: Instant
    /// Whether the server sent the current refresh token more than once.
    package internal(set) var isReissued: Bool
    /// The last recorded activity; the idle lifetime starts here.
    public internal(set) var lastSeenAt: Instant
    /// Set when the session is revoked, and not changed afterwards.
    public internal(set) var revocation: Revocation?
    /// The fields that a store saves as one document.
    package internal(set) var details: Details
    /// The claims of the subject at the time when the store loaded the session. They are saved with the subject, not with
    /// the session.
    package var claims = Claims.empty

    /// Whether a request has carried a token of the current generation since the server issued it.
    package enum Confirmation: Hashable, Sendable, Codable {
        case pending
        /// The straggler window opened at this moment; never for the generation that login issues.
        case confirmed(windowOpenedAt: Instant?)
    }

    /// The end of a session before its expiry.
    public struct Revocation: Hashable, Sendable, Codable {
        /// When the session was revoked.
        public var time: Instant
        /// The first reason; later ones do not replace it.
        public var reason: RevocationReason

        package init(time: Instant, reason: RevocationReason) {
            self.time = time
            self.reason = reason
        }
    }

    /// A new session at generation 0: confirmed, straggler window closed.
    /// - Parameter end: the latest absolute end of life; nil for that of the policy.
    package init(
        id: SessionID, subject: Subject, secret: Secret, refreshKey: String, details: Details, at now: Instant,
        under policy: SessionPolicy, endingBy end: Instant? = nil
    ) {
        let latest = now + policy.absoluteLifetime
        self.init(
            id: id, subject: subject, secret: secret, createdAt: now, expiresAt: end.map { min($0, latest) } ?? latest,
            generation: 0, confirmation: .confirmed(windowOpenedAt: nil), rotatedAt: now, refreshKey: refreshKey,
            stragglersFrom: 0, handedOutAt: now, isReissued: false, lastSeenAt: now, revocation: nil, details: details)
    }

    /// A session as a store kept it.
    package init(
        id: SessionID, subject: Subject, secret: Secret, createdAt: Instant, expiresAt: Instant, generation: Int,
        confirmation: Confirmation, rotatedAt: Instant, refreshKey: String, stragglersFrom: Int, handedOutAt: Instant,
        isReissued: Bool, lastSeenAt: Instant, revocation: Revocation?, details: Details
    ) {
        self.id = id
        self.subject = subject
        self.secret = secret
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.generation = generation
        self.confirmation = confirmation
        self.rotatedAt = rotatedAt
        self.refreshKey = refreshKey
        self.stragglersFrom = stragglersFrom
        self.handedOutAt = handedOutAt
        self.isReissued = isReissued
        self.lastSeenAt = lastSeenAt
        self.revocation = revocation
        self.details = details
    }

    /// A member of `details`.
    public subscript<Value>(dynamicMember member: KeyPath<Details, Value>) -> Value {
        details[keyPath: member]
    }

    /// The level that tokens of the current generation carry.
    package var authentication: Authentication { details.evidence.authentication }
}

/// Why a session ended before its expiry.
///
/// A store may have reasons that a newer version wrote.
public struct RevocationReason: RawRepresentable, Hashable, Sendable, Codable {
    /// The name in logs and in the record of events.
    public let rawValue: String

    /// Takes a name as `rawValue` returns it.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The user logged out.
    public static let logout = Self(rawValue: "logout")
    /// A spent refresh token came.
    public static let refreshTokenReused = Self(rawValue: "refresh_token_reused")
    /// The user ended it in the list of sessions.
    public static let endedByUser = Self(rawValue: "ended_by_user")
    /// An administrator ended it.
    public static let endedByAdministrator = Self(rawValue: "ended_by_administrator")
    /// The user or an administrator set a new password.
    public static let passwordChanged = Self(rawValue: "password_changed")
    /// An administrator disabled the account.
    public static let accountDisabled = Self(rawValue: "account_disabled")
    /// A backend ended it over the service API.
    public static let endedByService = Self(rawValue: "ended_by_service")
    /// A backend blocked its subject over the service API.
    public static let subjectBlocked = Self(rawValue: "subject_blocked")
    /// A new login in the same browser replaced it.
    public static let replaced = Self(rawValue: "replaced")
    /// The session from which it was handed over ended.
    public static let parentEnded = Self(rawValue: "parent_ended")
    /// The subject had the maximum number of sessions, and this one was unused for longest.
    public static let tooManySessions = Self(rawValue: "too_many_sessions")
    /// It had ended, and a failover of the database had lost its end.
    public static let lostInFailover = Self(rawValue: "lost_in_failover")
}
