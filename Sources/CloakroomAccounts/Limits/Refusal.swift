import CloakroomCore
import CloakroomStores

/// The refusal of a request by a limit: the allowance that is spent, and the time until it has a try again.
struct Refusal: Error, Hashable {
    /// The owner of the spent allowance.
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

    /// The response: the wait in whole seconds, rounded up, because an earlier retry would be refused again.
    var denial: Denial {
        let (seconds, attoseconds) = wait.components
        // Subtracts a microsecond, because rounding may have added that much.
        let whole = (Double(seconds) + Double(attoseconds) / 1e18 - 1e-6).rounded(.up)
        return .rateLimited(retryAfter: .seconds(Int64(max(1, min(whole, 86400)))))
    }
}
