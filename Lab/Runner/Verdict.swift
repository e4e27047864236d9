import CloakroomTokens

/// What became of an attack on a storage choice.
package enum Verdict: Hashable, Sendable {
    case falls
    case holds
    /// The thief got in, and the session was ended so many seconds later.
    case foundOut(after: Double)
    /// There is nothing of that kind to attack.
    case doesNotApply

    /// Its name in reports and in the table of expectations.
    package var name: String {
        switch self {
        case .falls: "falls"
        case .holds: "holds"
        case .foundOut: "found out"
        case .doesNotApply: "-"
        }
    }
}

extension Verdict {
    /// How long the thief was in; null for what is not found out.
    var json: JSONValue {
        if case .foundOut(let seconds) = self { .number(seconds) } else { .null }
    }
}

/// A verdict with what it rests on.
package struct Outcome: Sendable {
    package let verdict: Verdict
    /// What was seen on the servers, a sentence each.
    package let evidence: [String]

    static func of(_ fell: Bool, _ evidence: [String]) -> Self {
        Self(verdict: fell ? .falls : .holds, evidence: evidence)
    }

    static func doesNotApply(_ reason: String) -> Self {
        Self(verdict: .doesNotApply, evidence: [reason])
    }
}
