@testable import CloakroomCore

/// A one-time copy of the cookie, and what came of it since.
struct RotationTheft: Hashable {
    /// The newest generation that the thief has.
    var held: Int
    /// Counted to 2, beyond which nothing depends on it.
    var victimRotations = 0
    var thiefRotations = 0
    /// How often one party got the pending generation that the other had rotated to, counted to 2.
    var crossings = 0
    /// A step-up has raised a pending generation that the thief held, or it was lost that it has not.
    var mayBeRaised = false

    init(held: Int) {
        self.held = held
    }

    /// Thief and victim both go on, and have not each time crossed the other's pending generation.
    var isShared: Bool {
        min(victimRotations, thiefRotations) >= 2 && crossings < 2
    }

    mutating func noteGain(of generation: Int) {
        held = max(held, generation)
    }

    mutating func noteRotation(byThief: Bool) {
        if byThief {
            thiefRotations = min(2, thiefRotations + 1)
        } else {
            victimRotations = min(2, victimRotations + 1)
        }
    }

    mutating func noteCrossing() {
        crossings = min(2, crossings + 1)
    }

    mutating func noteRaise(of generation: Int) {
        if held >= generation { mayBeRaised = true }
    }

    /// Lost history is lost evidence: rotations count from the loss, which is worth one crossing.
    mutating func startAgainAfterLoss() {
        victimRotations = 0
        thiefRotations = 0
        crossings = 1
        mayBeRaised = true
    }
}

extension RotationWalkState {
    /// Counts what one party got.
    mutating func note(_ answer: RefreshAnswer, byThief: Bool) {
        defer { issued = max(issued, row.generation) }
        guard theft != nil else { return }
        switch answer {
        case .rotated:
            row.isRotatedByThief = byThief
            // A rotation that a loss took back and that is made again gives what both may have already.
            if row.generation > issued { theft?.noteRotation(byThief: byThief) }
        case .reissued where row.isRotatedByThief != byThief:
            theft?.noteCrossing()
        case .reissued, .served, .straggler, .adopted, .postponed, .denied:
            break
        }
    }
}
