import CloakroomCore
import CloakroomStores

/// A request that a limit refuses: whose allowance is spent, and for how long.
struct Refusal: Error, Hashable {
    /// Whose allowance is spent.
    enum Payer: Hashable {
        case account(EmailAddress)
        case network(NetworkAddress)
    }

    let payer: Payer
    let wait: Duration

    init(of payer: Payer, wait: Duration) {
        self.payer = payer
        self.wait = wait
    }

    /// In whole seconds, rounded up: to ask again too early is to be refused again.
    var denial: Denial {
        let (seconds, attoseconds) = wait.components
        // A microsecond is what rounding may have added.
        let whole = (Double(seconds) + Double(attoseconds) / 1e18 - 1e-6).rounded(.up)
        return .rateLimited(retryAfter: .seconds(Int64(max(1, min(whole, 86400)))))
    }
}
