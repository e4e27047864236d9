import CloakroomStores

/// Limits sign-ups per hour and network. Sign-ups that fail because the account exists count as well: each costs a
/// hash, and its response shows that the account exists.
///
/// This is the estimate of one process. What it admits is charged in the store too, where several instances share one.
final class SignUpRateLimit: Sendable {
    private let perHour: Double?
    private let sketch: AllowanceSketch

    /// - Parameter perHour: nil for no limit.
    init(perHour: Int?) {
        self.perHour = perHour.map { Double(max(1, $0)) }
        sketch = AllowanceSketch(interval: .seconds(3600), width: perHour == nil ? 1 : 1 << 14)
    }

    /// Charges one sign-up to the network.
    /// - Parameter uptime: the time of a monotonic clock.
    func take(_ network: NetworkAddress, at uptime: Duration) -> Result<AllowanceSketch.Receipt, Refusal> {
        guard let perHour else { return .success(.nothing) }
        let charges = network.aggregates.map {
            AllowanceSketch.Charge("sign-up network \($0.name)", of: perHour * $0.weight)
        }
        return sketch.take(charges, at: uptime).mapError { Refusal(of: .network(network), wait: $0.wait) }
    }

    /// Returns the charge of a sign-up that the store refuses, and the refusal.
    func refuse(
        _ receipt: AllowanceSketch.Receipt, _ shortage: AllowanceShortage, _ network: NetworkAddress,
        at uptime: Duration
    ) -> Refusal {
        sketch.giveBack(receipt, refused: shortage, at: uptime)
        return Refusal(of: .network(network), wait: shortage.wait)
    }

    /// Returns the charge of a sign-up that failed before it could show whether the account exists.
    func giveBack(_ receipt: AllowanceSketch.Receipt, at uptime: Duration) {
        sketch.giveBack(receipt, at: uptime)
    }
}
