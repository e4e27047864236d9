/// The result of an attack on a storage choice.
enum Verdict: Hashable, Sendable {
    case falls
    case holds
    /// The attacker got in, and the session was revoked so many seconds later.
    case detected(after: Double)
    /// The storage choice has nothing that this attack could target.
    case doesNotApply

    /// Its name in reports and in the table of expectations.
    var name: String {
        switch self {
        case .falls: "falls"
        case .holds: "holds"
        case .detected: "detected"
        case .doesNotApply: "-"
        }
    }

    /// nil unless the attack was detected.
    var secondsUntilDetection: Double? {
        if case .detected(let seconds) = self { seconds } else { nil }
    }

    /// The verdict that `name` and `secondsUntilDetection` are of.
    init?(named name: String, secondsUntilDetection: Double?) {
        let all = [Self.falls, .holds, .detected(after: secondsUntilDetection ?? 0), .doesNotApply]
        guard let verdict = all.first(where: { $0.name == name }) else { return nil }
        self = verdict
    }
}

/// A verdict and the evidence for it.
struct Outcome: Sendable {
    let verdict: Verdict
    /// What the servers recorded, a sentence each, without the full stop.
    let evidence: [String]

    static func of(_ fell: Bool, _ evidence: [String]) -> Self {
        Self(verdict: fell ? .falls : .holds, evidence: evidence)
    }

    static func doesNotApply(_ reason: String) -> Self {
        Self(verdict: .doesNotApply, evidence: [reason])
    }
}
