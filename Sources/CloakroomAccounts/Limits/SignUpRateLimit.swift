import CloakroomStores

/// Limits sign-ups per hour and network, those that find the address taken included: each costs a hash, and tells
/// whether an account exists.
final class SignUpRateLimit: Sendable {
    private let perHour: Double?
    private let sketch: AllowanceSketch

    /// - Parameter perHour: nil for no limit.
    init(perHour: Int?) {
        self.perHour = perHour.map { Double(max(1, $0)) }
        sketch = AllowanceSketch(interval: .seconds(3600), width: perHour == nil ? 1 : 1 << 14)
    }

    /// - Parameter uptime: of a monotonic clock.
    func take(_ network: NetworkAddress, at uptime: Duration) -> Result<AllowanceSketch.Receipt, Refusal> {
        guard let perHour else { return .success(.nothing) }
        let charges = network.aggregates.map { AllowanceSketch.Charge($0.name, of: perHour * $0.weight) }
        return sketch.take(charges, at: uptime).mapError { Refusal(of: .network(network), wait: $0.wait) }
    }

    /// For a sign-up that was not looked at.
    func giveBack(_ receipt: AllowanceSketch.Receipt, at uptime: Duration) {
        sketch.giveBack(receipt, at: uptime)
    }
}
