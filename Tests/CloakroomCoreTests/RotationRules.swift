@testable import CloakroomCore

/// The rules that a walk goes by: the real functions, or a mutant: the real functions with one thing changed.
struct RotationRules: Sendable {
    /// What a decision comes to, for the browser.
    struct Ruling {
        var answer: RefreshAnswer
        /// Whether the current generation's refresh token is handed out.
        var handsOut: Bool

        init(_ answer: RefreshAnswer) {
            self.answer = answer
            handsOut = answer == .rotated || answer == .reissued
        }

        /// The same answer with the current tokens in it.
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
    /// The refresh token that a step-up by access token presents.
    var held: @Sendable (Session, Int, Instant, SessionPolicy) -> PresentedRefresh = {
        $0.refreshHeld(byAccessOf: $1, at: $2, under: $3)
    }
    /// The level that a request of a generation is served at.
    var level: @Sendable (Session, Int) -> Authentication = { $0.authentication(ofGeneration: $1) }
    /// Whether the walk must keep when a rotation was; the real rules count nothing from there.
    var countsFromRotation = false

    static let real = RotationRules()
}
