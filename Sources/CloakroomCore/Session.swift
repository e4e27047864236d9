/// One session of one subject: everything that a store keeps about it, in one row.
///
/// A value without I/O. Each event is a method that changes the value and returns what happened: `refresh`, `confirm`,
/// `stepUp`, `revoke`. The members of `details` can be read as members of the session.
@dynamicMemberLookup
public struct Session: Hashable, Sendable {
    /// Its name (claim `sid`).
    public let id: SessionID
    /// Whose session it is.
    public let subject: Subject
    /// 256 random bits known to the store alone: half of what makes a refresh token (the other half is the key ring's).
    public let secret: Secret
    /// When it was begun.
    public let createdAt: Instant
    /// The absolute end of life, fixed at login. Also the refresh tokens' `exp`.
    public let expiresAt: Instant

    /// The number of the refresh token that is current.
    public internal(set) var generation: Int
    /// Whether the current generation has been seen.
    public internal(set) var confirmation: Confirmation
    /// When the current generation came to be. Also its refresh token's `iat`, so that its bytes never change.
    public internal(set) var rotatedAt: Instant
    /// Which key (`kid`) signs the current generation's refresh token.
    public internal(set) var refreshKey: String
    /// The oldest generation that is a straggler, not a reuse, until the window after the next confirmation closes:
    /// the one presented at the last rotation that came with the window closed.
    public internal(set) var stragglersFrom: Int
    /// When the current generation was last handed out.
    public internal(set) var handedOutAt: Instant
    /// Whether the current generation was handed out more than once.
    public internal(set) var isReissued: Bool
    /// When it was last used: idle time counts from here.
    public internal(set) var lastSeenAt: Instant
    /// Set once it was ended before its time.
    public internal(set) var revocation: Revocation?
    /// What a renewal does not change.
    public internal(set) var details: Details

    /// Whether anything of the current generation has come back since it was issued.
    public enum Confirmation: Hashable, Sendable {
        case pending
        /// The straggler window opened at this moment; never for the generation that login issues.
        case confirmed(windowOpenedAt: Instant?)
    }

    /// How a session was ended before its time.
    public struct Revocation: Hashable, Sendable {
        /// When.
        public var time: Instant
        /// Why.
        public var reason: RevocationReason

        /// An end before its time.
        public init(time: Instant, reason: RevocationReason) {
            self.time = time
            self.reason = reason
        }
    }

    /// A new session at generation 0: confirmed, straggler window closed.
    public init(
        id: SessionID, subject: Subject, secret: Secret, refreshKey: String, details: Details, at now: Instant,
        under policy: SessionPolicy
    ) {
        self.init(
            id: id, subject: subject, secret: secret, createdAt: now, expiresAt: now + policy.absoluteLifetime,
            generation: 0, confirmation: .confirmed(windowOpenedAt: nil), rotatedAt: now, refreshKey: refreshKey,
            stragglersFrom: 0, handedOutAt: now, isReissued: false, lastSeenAt: now, revocation: nil, details: details)
    }

    /// A session as a store kept it.
    public init(
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
    public var authentication: Authentication { details.evidence.authentication }
}

/// Why a session was ended before its time.
public enum RevocationReason: String, Hashable, Sendable, Codable, CaseIterable {
    case logout
    case refreshTokenReused = "refresh_token_reused"
    /// Ended from the list of sessions.
    case endedByUser = "ended_by_user"
    case endedByAdministrator = "ended_by_administrator"
    case passwordChanged = "password_changed"
    case accountDisabled = "account_disabled"
    /// A new login in the same browser took its place.
    case replaced
    /// The subject had as many sessions as are allowed, and this one had been unused for longest.
    case tooManySessions = "too_many_sessions"
}
