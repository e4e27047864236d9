@testable import CloakroomCore

/// A one-time copy of the cookie, and what thief and victim got since the theft.
struct RotationTheft: Hashable {
    /// The newest generation that the thief has.
    var held: Int
    /// Counted up to 2, because no claim depends on more.
    var victimRotations = 0
    var thiefRotations = 0
    /// How often one party presented s - 1 and got the pending s that the other had rotated to. Counted up to 2.
    var crossings = 0
    /// Whether a step-up raised a pending generation that the thief held, or a loss makes this unknown.
    var mayBeRaised = false

    init(held: Int) {
        self.held = held
    }

    /// Whether thief and victim both rotated twice, with fewer than two crossings. This is what must not happen.
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

    /// Counts rotations from the loss, and the loss as one crossing: lost history is lost evidence.
    mutating func startAgainAfterLoss() {
        victimRotations = 0
        thiefRotations = 0
        crossings = 1
        mayBeRaised = true
    }
}

extension RotationWalkState {
    /// Counts a rotation or a crossing.
    mutating func note(_ answer: RefreshAnswer, byThief: Bool) {
        defer { issued = max(issued, row.generation) }
        guard theft != nil else { return }
        switch answer {
        case .rotated:
            row.isRotatedByThief = byThief
            // A repeated rotation, which a loss took back, returns a generation that both may already have.
            if row.generation > issued { theft?.noteRotation(byThief: byThief) }
        case .reissued where row.isRotatedByThief != byThief:
            theft?.noteCrossing()
        case .reissued, .served, .straggler, .adopted, .postponed, .denied:
            break
        }
    }
}
