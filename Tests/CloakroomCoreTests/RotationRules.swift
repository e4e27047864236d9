@testable import CloakroomCore

/// The rules of a walk: the real functions, or a mutant, which is the real functions with one change.
struct RotationRules: Sendable {
    /// A decision, and whether the response carries tokens.
    struct Ruling {
        var answer: RefreshAnswer
        /// Whether the response has the refresh token of the current generation.
        var handsOut: Bool

        init(_ answer: RefreshAnswer) {
            self.answer = answer
            handsOut = answer == .rotated || answer == .reissued
        }

        /// The same answer, with the current tokens in the response.
        func handingOut(if isSo: Bool) -> Ruling {
            var ruling = self
            if isSo { ruling.handsOut = true }
            return ruling
        }
    }

    typealias Refresh = @Sendable (inout Session, PresentedRefresh, Instant, SessionPolicy) -> Ruling
    typealias StepUp = @Sendable (inout Session, Evidence, PresentedRefresh, Instant, SessionPolicy) -> Ruling

    var refresh: Refresh = {
        Ruling($0.refresh(presenting: $1, at: $2, under: $3, signingWith: "key"))
    }
    var stepUp: StepUp = {
        Ruling($0.stepUp(with: $1, presenting: $2, at: $3, under: $4, signingWith: "key"))
    }
    var confirm: @Sendable (inout Session, Int, Instant, SessionPolicy) -> Void = {
        $0.confirm(generation: $1, at: $2, under: $3)
    }
    var handOver: Refresh = {
        Ruling($0.handOver(presenting: $1, at: $2, under: $3, signingWith: "key"))
    }
    /// The point of a code, and the generation that its redemption confirms.
    var code: @Sendable (Session, RefreshAnswer) -> (point: HandOverPoint, confirms: Int?) = {
        ($0.handOverPoint(after: $1), $0.generationSent(with: $1))
    }
    /// Whether the change of the session withdraws the codes that were made before.
    var withdraws: @Sendable (_ before: Session, _ after: Session) -> Bool = {
        $0.details.handOverEpoch != $1.details.handOverEpoch
    }
    /// The refresh token that the rules assume for a step-up with an access token alone.
    var held: @Sendable (Session, Int, Instant, SessionPolicy) -> PresentedRefresh = {
        $0.refreshHeld(byAccessOf: $1, at: $2, under: $3)
    }
    /// The level at which a request of a generation is served.
    var level: @Sendable (Session, Int) -> Authentication = { $0.authentication(ofGeneration: $1) }
    /// Whether the state includes the time of the last rotation. The real rules do not count from it.
    var countsFromRotation = false

    static let real = RotationRules()
}
