/// The matrix as an SVG image: a row for each attack, a column for each storage choice. The colours (of Okabe and Ito) are
/// distinct for colour-blind readers too, and each cell also has a mark. The image has a background of its own, because a
/// page that shows it as `<img>` may have another colour scheme than the browser.
struct MatrixPicture {
    let report: LabReport
    /// The page that the cells link to; empty for links within the page that contains the image.
    let page: String

    private static let (labels, column, row) = (366, 46, 28)
    /// The heights of the column titles and of a family's title, and the margin.
    private static let (head, family, margin) = (290, 34, 16)

    private var width: Int { Self.margin * 2 + Self.labels + report.storages.count * Self.column }

    private var families: [(title: String, attacks: [Attack])] {
        Attack.Family.allCases.map { family in (family.rawValue, report.attacks.filter { $0.family == family }) }
            .filter { !$0.attacks.isEmpty }
    }

    var svg: String {
        var y = Self.margin + Self.head
        let groups = families.map { family in
            let group = group(family.title, family.attacks, y)
            y += Self.family + family.attacks.count * Self.row
            return group
        }
        let height = y + Self.margin
        let title = "\(AnswerText.title) Attacks on \(report.storages.count) storage choices, \(report.day)"
        return """
            <svg xmlns="http://www.w3.org/2000/svg" class="matrix" viewBox="0 0 \(width) \(height)" \
            width="\(width)" height="\(height)" role="group"><title>\(title)</title>
            <style>\(Self.style)</style>
            <rect class="panel" width="\(width)" height="\(height)" rx="8"/>
            \(band(until: y))
            \(report.storages.enumerated().map { columnTitle($1, $0) }.joined(separator: "\n"))
            \(groups.joined(separator: "\n"))
            \(legend)
            </svg>

            """
    }

    private static let style = """
        .matrix text { font: 15px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
        .matrix .title { font-size: 20px } .matrix .title, .matrix .strong, .matrix .family { font-weight: 700 } .matrix a { text-decoration: none }
        .matrix .panel { fill: #fff; stroke: #d0d7de } .matrix .band { fill: #eaeef2 } .matrix .family { fill: #57606a }
        .matrix rect.falls { fill: #d55e00 } .matrix rect.holds { fill: #0072b2 } .matrix rect.detected { fill: #e69f00 }
        .matrix rect.none { fill: none; stroke: #d0d7de }
        .matrix path { fill: none; stroke: #fff; stroke-width: 2.6; stroke-linecap: round; stroke-linejoin: round }
        .matrix path.detected { stroke: #1f2328; stroke-width: 1.8 } .matrix path.half { fill: #1f2328; stroke: none }
        .matrix path.none { stroke: #8c959f }
        @media (prefers-color-scheme: dark) {
        .matrix text { fill: #f0f6fc } .matrix .panel { fill: #0d1117; stroke: #3d444d } .matrix .band { fill: #212830 }
        .matrix .family { fill: #a5afba } .matrix rect.none { stroke: #3d444d } .matrix path.none { stroke: #a5afba }
        }
        """

    private func x(_ column: Int) -> Int { Self.margin + Self.labels + column * Self.column }

    /// Marks Cloakroom's columns.
    private func band(until bottom: Int) -> String {
        guard let first = report.storages.firstIndex(where: \.isOurs) else { return "" }
        return """
            <rect class="band" x="\(x(first))" y="\(Self.margin)" \
            width="\(x(report.storages.count) - x(first))" height="\(bottom - Self.margin)" rx="6"/>
            """
    }

    /// The title from bottom to top, in two lines if it has two parts.
    private func columnTitle(_ storage: StorageChoice, _ column: Int) -> String {
        let lines = storage.lines
        let start = x(column) + Self.column / 2 + 5 - (lines.count - 1) * 9
        return lines.enumerated().map { number, line in
            let (x, y) = (start + number * 18, Self.margin + Self.head - 10)
            return """
                <text class="\(storage.isOurs ? "strong" : "")" transform="translate(\(x) \(y)) rotate(-90)">\
                \(line.xmlEscaped)</text>
                """
        }.joined()
    }

    private func group(_ title: String, _ attacks: [Attack], _ y: Int) -> String {
        let rows = attacks.enumerated().map { number, attack in row(attack, y + Self.family + number * Self.row) }
        return """
            <text class="family" x="\(Self.margin)" y="\(y + 24)">\(title.xmlEscaped)</text>
            \(rows.joined(separator: "\n"))
            """
    }

    private func row(_ attack: Attack, _ y: Int) -> String {
        let cells = report.storages.enumerated().map { cell(attack, $1, x($0), y) }.joined(separator: "\n")
        return """
            <a href="\(page)#\(attack.name)"><text x="\(Self.margin)" y="\(y + 19)">\(attack.title.xmlEscaped)</text></a>
            \(cells)
            """
    }

    /// One part for each verdict, where engines differ.
    private func cell(_ attack: Attack, _ storage: StorageChoice, _ x: Int, _ y: Int) -> String {
        let verdicts = report.verdicts(attack, storage)
        let said = verdicts.map { verdict in
            let engines = verdict.engines.map(\.title).joined(separator: ", ")
            return engines.isEmpty ? verdict.name : "\(verdict.name) in \(engines)"
        }.joined(separator: "; ")
        let (width, height) = (Self.column - 4, Self.row - 4)
        let parts = verdicts.enumerated().map { number, verdict in
            let part = width / verdicts.count
            return part > 0 ? mark(verdict.name, x + 2 + number * part, y + 2, part, height) : ""
        }.joined()
        return """
            <a href="\(page)#\(attack.name)-\(storage.rawValue)"><g><title>\
            \("\(attack.title), \(storage.title): \(said)".xmlEscaped)</title>\(parts)</g></a>
            """
    }

    private func mark(_ verdict: String, _ x: Int, _ y: Int, _ width: Int, _ height: Int) -> String {
        let name = ["falls", "holds", "detected"].contains(verdict) ? verdict : "none"
        let (cx, cy) = (x + width / 2, y + height / 2)
        let drawn =
            switch verdict {
            case "falls": "<path d=\"M\(cx - 5) \(cy - 5)l10 10m0 -10l-10 10\"/>"
            case "holds": "<path d=\"M\(cx - 6) \(cy)l4 5l8 -10\"/>"
            case "detected":
                """
                <path class="detected" d="M\(cx) \(cy - 6)a6 6 0 0 1 0 12a6 6 0 0 1 0 -12z"/>\
                <path class="half" d="M\(cx) \(cy - 6)a6 6 0 0 0 0 12z"/>
                """
            case "-": "<path class=\"none\" d=\"M\(cx - 5) \(cy)h10\"/>"
            default: "<text x=\"\(cx - 4)\" y=\"\(cy + 5)\">?</text>"
            }
        return """
            <rect class="\(name)" x="\(x)" y="\(y)" width="\(width)" height="\(height)" rx="3"/>\(drawn)
            """
    }

    /// Stands to the left of the column titles.
    private var legend: String {
        let entries = AnswerText.legend.map { ([$0.verdict], $0.meaning) } + [(["holds", "falls"], "browsers differ")]
        let lines = entries.enumerated().map { number, entry in
            let (verdicts, meaning) = entry
            let y = Self.margin + 62 + number * 32
            let width = (Self.column - 4) / verdicts.count
            let marks = verdicts.enumerated().map { mark($1, Self.margin + $0 * width, y, width, Self.row - 4) }
            let x = Self.margin + Self.column + 6
            return marks.joined() + "<text x=\"\(x)\" y=\"\(y + 17)\">\(meaning.xmlEscaped)</text>"
        }
        return """
            <text class="title" x="\(Self.margin)" y="\(Self.margin + 24)">\(AnswerText.title)</text>
            \(lines.joined(separator: "\n"))
            """
    }
}

extension StorageChoice {
    /// The title in one or two lines, broken after its last comma or colon.
    fileprivate var lines: [String] {
        guard let index = title.lastIndex(where: { ",:".contains($0) }) else { return [title] }
        return [String(title[...index]), String(title[title.index(after: index)...].drop { $0 == " " })]
    }
}
