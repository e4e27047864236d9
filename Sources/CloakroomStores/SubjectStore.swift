public import CloakroomCore

/// Saves what apps decide about a subject, besides its sessions: its claims, and whether it is blocked. A subject needs no
/// account. Each method is one atomic use case.
///
/// A conforming store passes `StoreContract` of CloakroomTesting.
public protocol SubjectStore: Sendable {
    /// Replaces the claims of the subject. Sessions that are loaded or begin from now on have them.
    /// - Returns: the mark that the store appended to the feed; nil unless the change has one.
    func setClaims(
        _ change: ClaimsChange, recording events: [SecurityEvent]
    ) async throws -> Committed<StaleMark?>

    /// Blocks the subject and ends its sessions, or admits it again. No session of a blocked subject begins.
    func setBlocked(
        _ isBlocked: Bool, _ subject: Subject, recording events: [SecurityEvent], at now: Instant
    ) async throws -> Committed<Void>

    func isBlocked(_ subject: Subject) async throws -> Bool
}

/// New claims of a subject.
public struct ClaimsChange: Hashable, Sendable {
    /// The subject.
    public let subject: Subject
    /// All claims of the subject from now on.
    public let claims: Claims
    /// When access tokens get them.
    public let effect: Effect

    /// When access tokens get new claims.
    public enum Effect: Hashable, Sendable {
        /// At the next renewal.
        case next
        /// Access tokens that were issued at this time or before count as expired.
        case now(Instant)
    }

    /// Takes the subject, its claims and the effect.
    public init(subject: Subject, claims: Claims, effect: Effect) {
        self.subject = subject
        self.claims = claims
        self.effect = effect
    }

    /// The entry for the feed; nil for a change that waits for the next renewal.
    public var mark: StaleMark? {
        switch effect {
        case .next: nil
        case .now(let time): StaleMark(subject: subject, time: time)
        }
    }
}
