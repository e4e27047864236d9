import CloakroomCore
import CloakroomStores

/// Limits wrong passwords per minute, by account and by network.
///
/// A try is paid for before the password is looked at, and paid back when it was right: a hundred guesses sent at once
/// get no more looks than the same guesses sent in turn.
///
/// Strangers share one allowance for each account and one for each network. Beside it an account has one for each
/// network where its owner has logged in before, so that neither strangers elsewhere nor neighbours who try other
/// accounts lock the owner out. That one stays hidden: when the strangers' allowances are spent, a right password from a
/// known network still passes, and a wrong one gets the answer that a stranger gets. A requester could else tell by the
/// answers which accounts exist and where their owners log in. Nor must the time tell: in a network that is known to
/// anybody, an account that is not known there has an allowance of refusals that take as long as a verification.
final class LoginRateLimit: Sendable {
    /// Who tries.
    struct Requester {
        let email: EmailAddress
        let network: NetworkAddress
        /// Whether the account's owner, or anybody else, has logged in from this network before.
        let familiarity: NetworkFamiliarity
        /// A living session of the account that the requester has been seen to hold.
        let session: SessionID?
    }

    /// A try that is paid for.
    struct Admission: Sendable {
        /// What a wrong password is told instead of being wrong.
        let refusal: Refusal?
        /// Whether the requester comes first in the queue for hashing.
        let isKnownRequester: Bool
        fileprivate let receipts: [AllowanceSketch.Receipt]
    }

    enum Answer {
        case admitted(Admission)
        /// - Parameter looksVerified: whether the answer must take as long as if the password had been looked at.
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
    /// Of accounts that are not known in a network: refusals fill it, which no hashing slows down, and must not fill the
    /// other.
    private let pretended: AllowanceSketch
    /// The requesters that hold sessions of one account have this many allowances of a session together.
    private static let sessionsTogether = 3.0

    /// - Parameter perMinute: nil for no limit.
    init(perMinute: Int?) {
        self.perMinute = perMinute.map { Double(max(1, $0)) }
        sketch = AllowanceSketch(interval: .seconds(60), width: perMinute == nil ? 1 : 1 << 15)
        pretended = AllowanceSketch(interval: .seconds(60), width: perMinute == nil ? 1 : 1 << 13)
    }

    /// Takes one try from everything that it counts against; nothing when it is refused.
    /// - Parameter uptime: of a monotonic clock.
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

    /// From the allowance of the account in this network, real or pretended; nil when there is nothing to take.
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

    /// For a try that was right, or that was not looked at.
    func giveBack(_ admission: Admission, at uptime: Duration) {
        for receipt in admission.receipts { sketch.giveBack(receipt, at: uptime) }
    }

    /// The account comes last.
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
