extension LabReport {
    /// The report as one HTML page without external resources.
    func html() throws -> String {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark"><title>\(AnswerText.title)</title>
        <style>\(try LabFile.text("Report/report.css"))</style></head><body><main>
        <h1>\(AnswerText.title)</h1>
        <ol class="answer">\(AnswerText.answer.map { "<li>\($0.xmlEscaped)</li>" }.joined())</ol>
        <p class="faint">Run on \(day) with \(engines.map(\.version).joined(separator: ", ").xmlEscaped), by <code>Scripts/lab</code>.</p>
        <div class="wide" tabindex="0" role="region" aria-label="The matrix">\(MatrixPicture(report: self, page: "").svg)</div>
        <ul class="legend">\(AnswerText.legend.map(legend).joined())</ul>
        \(Attack.Family.allCases.map(section).joined())
        <h2>The attacks and the evidence</h2>
        \(try attacks.map(details).joined())
        <h2>What was not tried</h2><p>\(AnswerText.notTried.xmlEscaped)</p>
        </main></body></html>

        """
    }

    private func legend(_ verdict: String, _ meaning: String) -> String {
        "<li class=\"\(Self.style(verdict))\">\(AnswerText.mark(verdict)): \(meaning)</li>"
    }

    private func section(_ family: Attack.Family) -> String {
        let attacks = attacks.filter { $0.family == family }
        guard !attacks.isEmpty else { return "" }
        let heads = attacks.map { "<th scope=\"col\"><a href=\"#\($0.name)\">\($0.title.xmlEscaped)</a></th>" }
            .joined()
        let rows = storages.map { storage in
            let marks = attacks.map { mark($0, storage) }.joined()
            return
                "<tr\(storage.isOurs ? " class=\"ours\"" : "")><th scope=\"row\">\(storage.title.xmlEscaped)</th>\(marks)</tr>"
        }.joined()
        return """
            <h2>\(family.rawValue)</h2><div class="wide" tabindex="0" role="region" aria-label="\(family.rawValue)"><table>
            <thead><tr><th scope="col">tokens in</th>\(heads)</tr></thead><tbody>\(rows)</tbody></table></div>
            """
    }

    private func mark(_ attack: Attack, _ storage: StorageChoice) -> String {
        let verdicts = verdicts(attack, storage)
        let marks = verdicts.map { verdict in
            let engines = verdict.engines.map(\.title).joined(separator: ", ")
            let of = engines.isEmpty ? "" : "<small>\(engines)</small>"
            return "<a href=\"#\(attack.name)-\(storage.rawValue)\">\(AnswerText.mark(verdict.name))</a>\(of)"
        }.joined(separator: "<br>")
        let style = verdicts.count == 1 ? Self.style(verdicts[0].name) : "mixed"
        return "<td class=\"\(style)\">\(marks)</td>"
    }

    private static func style(_ verdict: String) -> String {
        ["falls", "holds", "detected"].contains(verdict) ? verdict : "none"
    }

    private func details(_ attack: Attack) throws -> String {
        let paragraphs = try attack.text.split(separator: "\n\n").map { "<p>\(String($0).htmlFromMarkdown)</p>" }
            .joined()
        let seen = storages.map { storage in
            let lines = findings(attack, storage).map(line).joined()
            return "<dt id=\"\(attack.name)-\(storage.rawValue)\">\(storage.title.xmlEscaped)</dt>\(lines)"
        }.joined()
        return
            "<section id=\"\(attack.name)\"><h3>\(attack.title.xmlEscaped)</h3>\(paragraphs)<dl>\(seen)</dl></section>"
    }

    private func line(_ finding: Finding) -> String {
        let record = finding.record.map { requests(of: $0, by: finding.engines[0]) } ?? ""
        return "<dd>\(finding.verdict) (\(finding.names)): \(finding.text.xmlEscaped).\(record)</dd>"
    }

    private func requests(of record: Record, by engine: BrowserEngine) -> String {
        let lines = record.relevant.map { entry, times in
            let often = times > 1 ? ", \(times) times" : ""
            return "<li>\(entry.time) s \(entry.line.xmlEscaped)\(often)</li>"
        }.joined()
        return lines.isEmpty
            ? "" : "<details><summary>the requests (\(engine.title))</summary><ol>\(lines)</ol></details>"
    }
}
