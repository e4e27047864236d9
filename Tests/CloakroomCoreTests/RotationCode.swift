@testable import CloakroomCore

/// A code for another host, and later the session that began with it.
struct RotationCode: Hashable {
    /// The generation of the parent after the code was made.
    var generation: Int
    /// The generation that the response with the code sent.
    var sent: Int?
    /// The generation that the redemption confirms.
    var confirms: Int?
    var isProvisional: Bool
    var isWithdrawn = false
    var hasBegun = false

    /// Whether its redemption may arrive. A browser that redeems a code has the cookie that came with it; the thief gets
    /// every response at once.
    func mayBeRedeemed(in state: RotationWalkState) -> Bool {
        !hasBegun && (state.theft != nil || sent.map { $0 <= state.newest } ?? true)
    }

    /// Whether the real rules let the code yield a session, or its session live, when the parent is at `current`.
    func isGood(at current: Int) -> Bool {
        var parent = Session.example()
        parent.generation = Self.base + current
        parent.details.handOverEpoch = isWithdrawn ? 1 : 0
        var child = Session.example()
        child.details.handedOver = HandedOver(
            parent: parent.id, host: "",
            point: HandOverPoint(generation: Self.base + generation, epoch: 0, isProvisional: isProvisional))
        return hasBegun ? !parent.supersedes(child) : parent.admits(child)
    }

    private static let base = 1000

    mutating func shift(_ place: (Int) -> Int) {
        generation = place(generation)
        sent = sent.map(place)
        confirms = confirms.map(place)
    }
}
