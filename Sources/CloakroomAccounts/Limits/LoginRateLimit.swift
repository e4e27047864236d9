import CloakroomCore
import CloakroomStores

/// Limits wrong passwords per minute, by account and by network.
///
/// The limit charges a try before the password is checked, and returns the charge when the password was right: a
/// hundred guesses sent at once get no more checks than the same guesses sent in turn.
///
/// Strangers share one allowance for each account and one for each network. In addition an account has one allowance
/// for each network from which its owner has logged in before, so that neither strangers elsewhere nor neighbours who
/// try other accounts lock the owner out. This allowance is hidden: when the allowances of strangers are spent, a
/// right password from a known network still passes, and a wrong one gets the response that a stranger gets.
/// Otherwise the responses would show which accounts exist and where their owners log in. Response times must not
/// show it either: in a network from which any owner has logged in, an account that is not known there has an
/// allowance of refusals that take as long as a verification.
final class LoginRateLimit: Sendable {
    /// The source of a login try.
    struct Requester {
        let email: EmailAddress
        let network: NetworkAddress
        /// Whether the owner of the account, or the owner of another account, has logged in from this network before.
        let familiarity: NetworkFamiliarity
        /// A live session of the account whose current token the request carries.
        let session: SessionID?
    }

    /// A try that was charged.
    struct Admission: Sendable {
        /// The response to a wrong password in place of `invalidCredentials`; nil while the allowances of strangers
        /// last.
        let refusal: Refusal?
        /// Whether the hash is computed before those of strangers.
        let isKnownRequester: Bool
        fileprivate let receipts: [AllowanceSketch.Receipt]
    }

    enum Answer {
        case admitted(Admission)
        /// - Parameter looksVerified: whether the response must take as long as a verification of the password.
        case refused(Refusal, looksVerified: Bool)
    }

    private enum Name: Hashable {
        case network(String)
        case account(EmailAddress)
        case accountFromKnownNetwork(EmailAddress, NetworkAddress)
        case session(SessionID)
        case sessions(EmailAddress)
    }

    private let perMinute: Double?
    private let sketch: AllowanceSketch
    /// The allowances of accounts that are not known in a network. They are a sketch of their own: no hashing slows
    /// down the refusals that fill it, and they must not fill the other sketch.
    private let pretended: AllowanceSketch
    /// All holders of sessions of one account together have this many times the allowance of one session.
    private static let sessionsTogether = 3.0

    /// - Parameter perMinute: nil for no limit.
    init(perMinute: Int?) {
        self.perMinute = perMinute.map { Double(max(1, $0)) }
        sketch = AllowanceSketch(interval: .seconds(60), width: perMinute == nil ? 1 : 1 << 15)
        pretended = AllowanceSketch(interval: .seconds(60), width: perMinute == nil ? 1 : 1 << 13)
    }

    /// Charges one try to all allowances that apply; nothing when the try is refused.
    /// - Parameter uptime: the time of a monotonic clock.
    func admit(_ requester: Requester, at uptime: Duration) -> Answer {
        let isKnownRequester = requester.session != nil || requester.familiarity == .own
        guard let perMinute else {
            return .admitted(Admission(refusal: nil, isKnownRequester: isKnownRequester, receipts: []))
        }
        if let session = requester.session { return admit(holderOf: session, requester, perMinute, at: uptime) }
        var receipts: [AllowanceSketch.Receipt] = []
        var refusal: Refusal?
        switch sketch.take(strangersCharges(requester, perMinute), at: uptime) {
        case .success(let receipt): receipts.append(receipt)
        case .failure(let shortage): refusal = Self.refusal(shortage, requester)
        }
        let hidden = takeHidden(requester, perMinute, at: uptime)
        if let refusal, hidden == nil || requester.familiarity != .own {
            return .refused(refusal, looksVerified: hidden != nil)
        }
        if requester.familiarity == .own, let hidden { receipts.append(hidden) }
        return .admitted(
            Admission(refusal: refusal, isKnownRequester: isKnownRequester, receipts: receipts))
    }

    /// Charges the allowance of the account in this network, real or pretended; nil when it is spent or there is
    /// none.
    private func takeHidden(
        _ requester: Requester, _ perMinute: Double, at uptime: Duration
    ) -> AllowanceSketch.Receipt? {
        let charge = AllowanceSketch.Charge(
            Name.accountFromKnownNetwork(requester.email, requester.network), of: perMinute)
        switch requester.familiarity {
        case .own: return try? sketch.take([charge], at: uptime).get()
        case .others: return try? pretended.take([charge], at: uptime).get()
        case .none: return nil
        }
    }

    /// Returns the charges of a try that was right, or whose password was not checked.
    func giveBack(_ admission: Admission, at uptime: Duration) {
        for receipt in admission.receipts { sketch.giveBack(receipt, at: uptime) }
    }

    /// The charges that strangers share. `refusal` relies on the account being the last.
    private func strangersCharges(_ requester: Requester, _ perMinute: Double) -> [AllowanceSketch.Charge] {
        requester.network.aggregates.map { .init(Name.network($0.name), of: perMinute * $0.weight) }
            + [.init(Name.account(requester.email), of: perMinute)]
    }

    private func admit(
        holderOf session: SessionID, _ requester: Requester, _ perMinute: Double, at uptime: Duration
    ) -> Answer {
        let charges = [
            AllowanceSketch.Charge(Name.session(session), of: perMinute),
            .init(Name.sessions(requester.email), of: perMinute * Self.sessionsTogether),
        ]
        switch sketch.take(charges, at: uptime) {
        case .success(let receipt):
            return .admitted(Admission(refusal: nil, isKnownRequester: true, receipts: [receipt]))
        case .failure(let shortage):
            return .refused(
                Refusal(of: .account(requester.email), wait: shortage.wait), looksVerified: false)
        }
    }

    private static func refusal(_ shortage: AllowanceSketch.Shortage, _ requester: Requester) -> Refusal {
        let isOfTheAccount = shortage.index == requester.network.aggregates.count
        return Refusal(
            of: isOfTheAccount ? .account(requester.email) : .network(requester.network), wait: shortage.wait)
    }
}
