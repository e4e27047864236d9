import CloakroomCore

/// Limits wrong passwords per minute, by account and by network.
///
/// A try is paid for before the password is looked at, and paid back when it was right: a hundred guesses sent at once
/// get no more looks than the same guesses sent in turn.
///
/// Strangers share one allowance for each account and one for each network. Beside it an account has one for each
/// network where its owner has logged in before, so that neither strangers elsewhere nor neighbours who try other
/// accounts lock the owner out. That one stays hidden: when the strangers' allowances are spent, a right password from a
/// known network still passes, and a wrong one gets the answer that a stranger gets. A requester could else tell by the
/// answers which accounts exist and where their owners log in.
final class LoginRateLimit: Sendable {
    /// Who tries.
    struct Requester {
        let email: EmailAddress
        let network: NetworkAddress
        /// Whether the account's owner has logged in from this network before.
        let isFromKnownNetwork: Bool
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
        case refused(Refusal)
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
    /// The requesters that hold sessions of one account have this many allowances of a session together.
    private static let sessionsTogether = 3.0

    /// - Parameter perMinute: nil for no limit.
    init(perMinute: Int?) {
        self.perMinute = perMinute.map { Double(max(1, $0)) }
        sketch = AllowanceSketch(interval: .seconds(60), width: perMinute == nil ? 1 : 1 << 15)
    }

    /// Takes one try from everything that it counts against; nothing when it is refused.
    /// - Parameter uptime: of a monotonic clock.
    func admit(_ requester: Requester, at uptime: Duration) -> Answer {
        let isKnownRequester = requester.session != nil || requester.isFromKnownNetwork
        guard let perMinute else {
            return .admitted(Admission(refusal: nil, isKnownRequester: isKnownRequester, receipts: []))
        }
        if let session = requester.session { return admit(holderOf: session, requester, perMinute, at: uptime) }
        let known = AllowanceSketch.Charge(
            Name.accountFromKnownNetwork(requester.email, requester.network), of: perMinute)
        var receipts: [AllowanceSketch.Receipt] = []
        var refusal: Refusal?
        switch sketch.take(strangersCharges(requester, perMinute), at: uptime) {
        case .success(let receipt): receipts.append(receipt)
        case .failure(let shortage): refusal = Self.refusal(shortage, requester)
        }
        if requester.isFromKnownNetwork, case .success(let receipt) = sketch.take([known], at: uptime) {
            receipts.append(receipt)
        } else if let refusal {
            return .refused(refusal)
        }
        return .admitted(
            Admission(refusal: refusal, isKnownRequester: isKnownRequester, receipts: receipts))
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
            return .refused(Refusal(of: .account(requester.email), wait: shortage.wait))
        }
    }

    private static func refusal(_ shortage: AllowanceSketch.Shortage, _ requester: Requester) -> Refusal {
        let isOfTheAccount = shortage.index == requester.network.aggregates.count
        return Refusal(
            of: isOfTheAccount ? .account(requester.email) : .network(requester.network), wait: shortage.wait)
    }
}
