extension LabReport {
    /// The report as one page that needs nothing else.
    package var html: String {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark"><title>\(AnswerText.title)</title>
        <style>\(String(decoding: PackageResources.report_css, as: UTF8.self))</style></head><body><main>
        <h1>\(AnswerText.title)</h1>
        <ol class="answer">\(AnswerText.answer.map { "<li>\($0.htmlEscaped)</li>" }.joined())</ol>
        <p class="faint">Run on \(day) with \(engines.map(\.version).joined(separator: ", ").htmlEscaped), by <code>cloakroom lab</code>.</p>
        <ul class="legend"><li class="falls">✗ falls: the attacker got in</li><li class="holds">✓ holds</li>
        <li class="found">◐ found out: the attacker got in, and the session was ended</li><li>– nothing to attack</li></ul>
        \(Attack.Family.allCases.map(section).joined())
        <h2>The attacks, and what was seen</h2>
        \(attacks.map(details).joined())
        <h2>What was not tried</h2><p>\(AnswerText.notTried.htmlEscaped)</p>
        </main></body></html>

        """
    }

    private func section(_ family: Attack.Family) -> String {
        let attacks = attacks.filter { $0.family == family }
        guard !attacks.isEmpty else { return "" }
        let heads = attacks.map { "<th scope=\"col\"><a href=\"#\($0.name)\">\($0.title.htmlEscaped)</a></th>" }
            .joined()
        let rows = storages.map { storage in
            let marks = attacks.map { mark($0, storage) }.joined()
            return
                "<tr\(storage.isOurs ? " class=\"ours\"" : "")><th scope=\"row\">\(storage.title.htmlEscaped)</th>\(marks)</tr>"
        }.joined()
        return """
            <h2>\(family.rawValue)</h2><div class="wide" tabindex="0" role="region" aria-label="\(family.rawValue)"><table>
            <thead><tr><th scope="col">tokens in</th>\(heads)</tr></thead><tbody>\(rows)</tbody></table></div>
            """
    }

    private func mark(_ attack: Attack, _ storage: StorageChoice) -> String {
        let verdicts = verdicts(attack, storage)
        let marks = verdicts.map { verdict in
            let engines = verdict.engines.map(\.rawValue).joined(separator: ", ")
            let of = engines.isEmpty ? "" : "<small>\(engines)</small>"
            return "<a href=\"#\(attack.name)-\(storage.rawValue)\">\(AnswerText.mark(verdict.name))</a>\(of)"
        }.joined(separator: "<br>")
        let style = verdicts.count == 1 ? Self.style(verdicts[0].name) : "mixed"
        return "<td class=\"\(style)\">\(marks)</td>"
    }

    private static func style(_ verdict: String) -> String {
        switch verdict {
        case "falls": "falls"
        case "holds": "holds"
        case "found out": "found"
        default: "none"
        }
    }

    private func details(_ attack: Attack) -> String {
        let paragraphs = attack.text.split(separator: "\n\n").map { "<p>\(String($0).htmlFromMarkdown)</p>" }.joined()
        let seen = storages.map { storage in
            let lines = findings(attack, storage).map(line).joined()
            return "<dt id=\"\(attack.name)-\(storage.rawValue)\">\(storage.title.htmlEscaped)</dt>\(lines)"
        }.joined()
        return
            "<section id=\"\(attack.name)\"><h3>\(attack.title.htmlEscaped)</h3>\(paragraphs)<dl>\(seen)</dl></section>"
    }

    private func line(_ finding: Finding) -> String {
        let record = finding.record.map { seen($0, by: finding.engines[0]) } ?? ""
        return "<dd>\(finding.names): \(finding.verdict). \(finding.text.htmlEscaped)\(record)</dd>"
    }

    private func seen(_ record: Record, by engine: BrowserEngine) -> String {
        let lines = record.telling.map { entry, times in
            let often = times > 1 ? ", \(times) times" : ""
            return "<li>\(entry.time) s \(entry.line.htmlEscaped)\(often)</li>"
        }.joined()
        return lines.isEmpty
            ? "" : "<details><summary>what the servers saw (\(engine.rawValue))</summary><ol>\(lines)</ol></details>"
    }
}

extension String {
    fileprivate var htmlEscaped: String {
        replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    /// Bold and code, which is all that the attacks' texts use.
    fileprivate var htmlFromMarkdown: String {
        htmlEscaped.replacing(/\*\*(.+?)\*\*/) { "<strong>\($0.1)</strong>" }
            .replacing(/`(.+?)`/) { "<code>\($0.1)</code>" }
    }
}
