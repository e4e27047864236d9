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
///
/// A try is judged in two steps. `estimate` asks the sketch of this process. What that admits is charged in the store
/// too, where several instances share one, and `settle` takes the store's answer. The caller does the I/O.
final class LoginRateLimit: Sendable {
    /// The source of a login try.
    struct Requester {
        let email: EmailAddress
        let network: NetworkAddress
        /// Whether the owner of the account, or the owner of another account, has logged in from this network before.
        let familiarity: NetworkFamiliarity
        /// A live session of the account whose current token the request carries.
        let session: SessionID?

        var isKnown: Bool { session != nil || familiarity == .own }
    }

    private enum Name {
        case network(String)
        case account(EmailAddress)
        case accountFromKnownNetwork(EmailAddress, NetworkAddress)
        case session(SessionID)
        case sessions(EmailAddress)
        case pretended(Int)

        /// Different for all names: an e-mail address has no space.
        var text: String {
            switch self {
            case .network(let name): "login network \(name)"
            case .account(let email): "login account \(email)"
            case .accountFromKnownNetwork(let email, let network): "login known \(email) \(network)"
            case .session(let id): "login session \(id)"
            case .sessions(let email): "login sessions \(email)"
            case .pretended(let number): "login pretended \(number)"
            }
        }
    }

    private let perMinute: Double?
    private let sketch: AllowanceSketch
    /// The allowances of accounts that are not known in a network. They are a sketch of their own: no hashing slows
    /// down the refusals that fill it, and they must not fill the other sketch.
    private let pretended: AllowanceSketch
    /// All holders of sessions of one account together have this many times the allowance of one session.
    private static let sessionsTogether = 3.0
    /// In the store, all accounts that are not known in a network share this many rows.
    private static let pretendedRows = 4096

    /// - Parameter perMinute: nil for no limit.
    init(perMinute: Int?) {
        self.perMinute = perMinute.map { Double(max(1, $0)) }
        sketch = AllowanceSketch(interval: .seconds(60), width: perMinute == nil ? 1 : 1 << 15)
        pretended = AllowanceSketch(interval: .seconds(60), width: perMinute == nil ? 1 : 1 << 13)
    }

    /// Charges one try to all allowances of this process that apply; nothing when the try is refused.
    /// - Parameter uptime: the time of a monotonic clock, in all methods of this type.
    func estimate(_ requester: Requester, at uptime: Duration) -> LoginEstimate {
        guard let perMinute else {
            return LoginEstimate(requester: requester, common: .success(.nothing), hidden: nil, hiddenInStore: nil)
        }
        if let session = requester.session {
            let common = sketch.take(Self.charges(session, requester, perMinute), at: uptime)
            return LoginEstimate(requester: requester, common: common, hidden: nil, hiddenInStore: nil)
        }
        let common = sketch.take(Self.strangersCharges(requester, perMinute), at: uptime)
        let hidden = takeHidden(requester, perMinute, at: uptime)
        return LoginEstimate(
            requester: requester, common: common, hidden: hidden,
            hiddenInStore: hidden.map { inStore($0, requester, perMinute) })
    }

    /// Decides about a try.
    /// - Parameter answers: those of the store to `estimate.receipts`.
    func settle(_ estimate: LoginEstimate, _ answers: [SharedAllowances.Answer], at uptime: Duration) -> LoginAnswer {
        let requester = estimate.requester
        let (common, commonInStore) = settleCommon(estimate, answers.first, at: uptime)
        // What the store refuses stays charged here, and what it says of a pretended allowance does not count: the
        // number of refusals that take as long as a verification is the same for known accounts and for others.
        let hidden = requester.familiarity == .own ? estimate.hidden : nil
        let hiddenInStore = hidden == nil ? nil : answers.last.flatMap { try? $0.get() }
        switch common {
        case .success(let receipt):
            return .admitted(
                LoginAdmission(
                    refusal: nil, isKnownRequester: requester.isKnown,
                    receipts: [receipt, hidden].compactMap(\.self),
                    shared: [commonInStore, hiddenInStore].compactMap(\.self)))
        case .failure(let shortage):
            let refusal = Self.refusal(shortage, requester)
            guard let hidden, let hiddenInStore else {
                return .refused(refusal, looksVerified: estimate.hidden != nil)
            }
            return .admitted(
                LoginAdmission(refusal: refusal, isKnownRequester: true, receipts: [hidden], shared: [hiddenInStore]))
        }
    }

    private func settleCommon(
        _ estimate: LoginEstimate, _ answer: SharedAllowances.Answer?, at uptime: Duration
    ) -> (Result<AllowanceSketch.Receipt, AllowanceShortage>, inStore: AllowanceReceipt?) {
        guard case .success(let receipt) = estimate.common, let answer else { return (estimate.common, nil) }
        switch answer {
        case .success(let taken): return (estimate.common, taken)
        case .failure(let shortage):
            sketch.giveBack(receipt, refused: shortage, at: uptime)
            return (.failure(shortage), nil)
        }
    }

    /// Returns the charges of a try that was right, or whose password was not checked.
    func giveBack(_ admission: LoginAdmission, at uptime: Duration) {
        for receipt in admission.receipts { sketch.giveBack(receipt, at: uptime) }
    }

    /// Returns the charges of a try that the store could not judge.
    func giveBack(_ estimate: LoginEstimate, at uptime: Duration) {
        if case .success(let receipt) = estimate.common { sketch.giveBack(receipt, at: uptime) }
        guard let hidden = estimate.hidden else { return }
        (estimate.requester.familiarity == .own ? sketch : pretended).giveBack(hidden, at: uptime)
    }

    /// Charges the allowance of the account in this network, real or pretended; nil when it is spent or there is
    /// none.
    private func takeHidden(
        _ requester: Requester, _ perMinute: Double, at uptime: Duration
    ) -> AllowanceSketch.Receipt? {
        let charge = AllowanceSketch.Charge(
            Name.accountFromKnownNetwork(requester.email, requester.network).text, of: perMinute)
        switch requester.familiarity {
        case .own: return try? sketch.take([charge], at: uptime).get()
        case .others: return try? pretended.take([charge], at: uptime).get()
        case .none: return nil
        }
    }

    /// What the store charges for a hidden allowance. For a pretended one it makes a write of the same kind, because
    /// the time of the write must not show which of both it is, to one of a bounded number of rows.
    private func inStore(
        _ hidden: AllowanceSketch.Receipt, _ requester: Requester, _ perMinute: Double
    ) -> AllowanceSketch.Receipt {
        switch requester.familiarity {
        case .own, .none: return hidden
        case .others:
            var hasher = Hasher()
            hasher.combine(requester.email)
            hasher.combine(requester.network)
            let row = Int(UInt(bitPattern: hasher.finalize()) % UInt(Self.pretendedRows))
            return AllowanceSketch.Receipt(
                charges: [.init(Name.pretended(row).text, of: perMinute)], uptime: hidden.uptime,
                interval: hidden.interval)
        }
    }

    /// The charges that strangers share. `refusal` relies on the account being the last.
    private static func strangersCharges(_ requester: Requester, _ perMinute: Double) -> [AllowanceSketch.Charge] {
        requester.network.aggregates.map { .init(Name.network($0.name).text, of: perMinute * $0.weight) }
            + [.init(Name.account(requester.email).text, of: perMinute)]
    }

    private static func charges(
        _ session: SessionID, _ requester: Requester, _ perMinute: Double
    ) -> [AllowanceSketch.Charge] {
        [
            .init(Name.session(session).text, of: perMinute),
            .init(Name.sessions(requester.email).text, of: perMinute * sessionsTogether),
        ]
    }

    private static func refusal(_ shortage: AllowanceShortage, _ requester: Requester) -> Refusal {
        let isOfTheAccount = requester.session != nil || shortage.index == requester.network.aggregates.count
        return Refusal(
            of: isOfTheAccount ? .account(requester.email) : .network(requester.network), wait: shortage.wait)
    }
}
