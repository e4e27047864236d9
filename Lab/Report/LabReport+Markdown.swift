extension LabReport {
    /// The report as a Markdown document: the answer, the matrix, and each attack with its evidence.
    /// - Parameter picture: the matrix as an image, as a path relative to the document; nil for none.
    func markdown(picture: String?) throws -> String {
        var lines = ["# \(AnswerText.title)", ""]
        lines += AnswerText.answer.enumerated().map { "\($0.offset + 1). \($0.element)" }
        lines += [
            "",
            "This page is the output of `Scripts/lab`, run on \(day) with \(versions). To repeat the run:", "",
            "```sh", "Scripts/lab --markdown page.md --html page.html", "```", "",
        ]
        if let picture { lines += ["![The verdict of each attack on each storage choice](\(picture))", ""] }
        lines += [
            AnswerText.legend.map { "\(AnswerText.mark($0.verdict)): \($0.meaning)." }.joined(separator: " "),
            "Each cell of the tables links to its evidence. A sibling host is another host under the same domain.", "",
        ]
        for family in Attack.Family.allCases { lines += table(attacks.filter { $0.family == family }, family) }
        for attack in attacks { lines += try details(attack) }
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
                    let engines = verdict.engines.map(\.title).joined(separator: ", ")
                    let of = engines.isEmpty ? "" : " (\(engines))"
                    return "[\(AnswerText.mark(verdict.name))](#\(attack.name)-\(storage.rawValue))\(of)"
                }.joined(separator: "<br>")
            }
            let title = storage.isOurs ? "**\(storage.title)**" : storage.title
            lines.append("| \(title) | " + marks.joined(separator: " | ") + " |")
        }
        return lines + [""]
    }

    private func details(_ attack: Attack) throws -> [String] {
        var lines = ["<a id=\"\(attack.name)\"></a>", "", "### \(attack.title)", ""]
        lines += [try attack.text, "The code: [`Lab/attacks/\(attack.name)`](../Lab/attacks/\(attack.name)).", ""]
        for storage in storages {
            let seen = findings(attack, storage).map { "\($0.verdict) (\($0.names)): \($0.text)." }
            let anchor = "<a id=\"\(attack.name)-\(storage.rawValue)\"></a>"
            lines.append("* \(anchor)**\(storage.title)**<br>\(seen.joined(separator: "<br>"))")
        }
        return lines + [""]
    }
}
