extension LabReport {
    /// The report for a repository: the answer, the matrix, each attack with its evidence.
    package var markdown: String {
        var lines = ["# \(AnswerText.title)", ""]
        lines += AnswerText.answer.enumerated().map { "\($0.offset + 1). \($0.element)" }
        lines += [
            "", "This page is the output of `cloakroom lab`, run on \(day) with \(versions). Anyone can repeat it:", "",
            "```sh", "cloakroom lab --markdown page.md --html page.html", "```", "",
            "✗ falls: the attacker got in. ✓ holds. ◐ found out: the attacker got in, and the session was ended. – there is nothing to attack.",
            "Each mark leads to the attack and to what was seen.", "",
        ]
        for family in Attack.Family.allCases { lines += table(attacks.filter { $0.family == family }, family) }
        for attack in attacks { lines += details(attack) }
        lines += ["## What was not tried", "", AnswerText.notTried, ""]
        return lines.joined(separator: "\n")
    }

    private var versions: String {
        engines.map { $0.version }.joined(separator: ", ")
    }

    private func table(_ attacks: [Attack], _ family: Attack.Family) -> [String] {
        guard !attacks.isEmpty else { return [] }
        var lines = ["## \(family.rawValue)", ""]
        lines.append("| tokens in | " + attacks.map { "[\($0.title)](#\($0.name))" }.joined(separator: " | ") + " |")
        lines.append("|---|" + attacks.map { _ in "---|" }.joined())
        for storage in storages {
            let marks = attacks.map { attack in
                verdicts(attack, storage).map { verdict in
                    let of =
                        verdict.engines.isEmpty ? "" : " (\(verdict.engines.map(\.rawValue).joined(separator: ", ")))"
                    return "[\(AnswerText.mark(verdict.name))](#\(attack.name)-\(storage.rawValue))\(of)"
                }.joined(separator: "<br>")
            }
            let title = storage.isOurs ? "**\(storage.title)**" : storage.title
            lines.append("| \(title) | " + marks.joined(separator: " | ") + " |")
        }
        return lines + [""]
    }

    private func details(_ attack: Attack) -> [String] {
        var lines = ["<a id=\"\(attack.name)\"></a>", "", "### \(attack.title)", ""]
        lines += [attack.text, "The code: [`Lab/attacks/\(attack.name)`](../Lab/attacks/\(attack.name)).", ""]
        for storage in storages {
            let seen = findings(attack, storage).map { "\($0.names): \($0.verdict). \($0.text)." }
            let anchor = "<a id=\"\(attack.name)-\(storage.rawValue)\"></a>"
            lines.append("* \(anchor)**\(storage.title)**<br>\(seen.joined(separator: "<br>"))")
        }
        return lines + [""]
    }
}
