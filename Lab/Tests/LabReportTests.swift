import Foundation
import FoundationXML
import Testing

@testable import CloakroomLab

@Suite struct LabReportTests {
    /// A run in which everything came out as expected, but for what `change` does to a cell.
    private func report(_ change: (inout Lab.Cell) -> Void = { _ in }) -> LabReport {
        let cells = Attack.all.flatMap { attack in
            StorageChoice.allCases.map { storage in
                var cell = Lab.Cell(attack: attack, storage: storage, engine: .chromium)
                let verdict: Verdict =
                    switch Expectation.verdict(attack, storage, .chromium) {
                    case "falls": .falls
                    case "detected": .detected(after: 3)
                    case "-": .doesNotApply
                    default: .holds
                    }
                cell.outcomes = [Outcome(verdict: verdict, evidence: ["<seen> & heard"])]
                change(&cell)
                return cell
            }
        }
        return LabReport(cells: cells, engines: [(.chromium, "Chromium 1")], day: "2026-01-31")
    }

    private func changed(_ storage: StorageChoice, _ attack: String, _ outcomes: [Outcome]) -> LabReport {
        report { cell in
            if cell.storage == storage, cell.attack.name == attack { cell.outcomes = outcomes }
        }
    }

    @Test("every cell has an expectation, and a run with the expected verdicts has no problems")
    func asExpected() {
        for attack in Attack.all {
            for storage in StorageChoice.allCases {
                for engine in BrowserEngine.allCases {
                    #expect(Expectation.verdict(attack, storage, engine) != "?")
                }
            }
        }
        #expect(report().problems == [] && report().surprises == [])
    }

    @Test("every attack is expected to succeed somewhere, and has a text")
    func attacks() throws {
        for attack in Attack.all {
            for engine in BrowserEngine.allCases { #expect(Expectation.victim(of: attack, engine) != nil) }
            let text = try attack.text
            #expect(["**What.** ", "**Who.** ", "**Source.** "].allSatisfy(text.contains))
        }
    }

    @Test("an unexpected verdict of Cloakroom is a problem; one of another storage choice is a surprise")
    func differences() {
        let fallen = [Outcome(verdict: .falls, evidence: [])]
        let ours = changed(.cloakroom, "token-theft", fallen)
        #expect(ours.problems == ["chromium cloakroom token-theft: falls, expected holds"])
        let theirs = changed(.memory, "token-theft", fallen)
        #expect(theirs.problems == [])
        #expect(theirs.surprises == ["chromium memory token-theft: falls, was holds"])
    }

    @Test("an attack that did not run, or had two verdicts, has none, and that is a problem")
    func noVerdict() {
        let two = changed(.cloakroom, "login-csrf", [.of(true, []), .of(false, [])])
        #expect(two.problems == ["chromium cloakroom login-csrf: no verdict: falls; holds"])
        let failed = report { cell in
            guard cell.storage == .memory, cell.attack.name == "session-riding" else { return }
            (cell.outcomes, cell.failures) = ([], ["no loot"])
        }
        #expect(failed.problems == ["chromium memory session-riding: no verdict: no loot"])
    }

    @Test("an attack that succeeds against no storage choice in an engine is a problem, whatever it does in others")
    func neverFalls() {
        let tame = report { cell in
            if cell.attack.name == "session-riding" { cell.outcomes = [.of(cell.storage.isOurs, [])] }
        }
        #expect(tame.problems == ["chromium session-riding succeeded against no storage choice: it may be broken"])
        let cells = tame.cells + report().cells.map { Lab.Cell($0, in: .webkit) }
        let both = LabReport(cells: cells, engines: [(.chromium, ""), (.webkit, "")], day: "")
        #expect(both.problems == tame.problems)
    }

    @Test("each attack has a cell in which it succeeds; a cell that was played only for that is not reported")
    func controls() {
        func cells(_ storages: [StorageChoice]) -> [Lab.Cell] {
            Lab.Selection(engines: [.firefox], storages: storages, attacks: Attack.all, repeats: 1, browsers: 1)
                .cells(.firefox)
        }
        let ours = cells([.cloakroom])
        #expect(ours.filter(\.isControl).map(\.attack.name) == Attack.all.map(\.name))
        #expect(ours.allSatisfy { !$0.isControl || !$0.storage.isOurs })
        #expect(cells(StorageChoice.allCases).allSatisfy { !$0.isControl })
        let report = LabReport(cells: ours, engines: [(.firefox, "")], day: "")
        #expect(report.storages == [.cloakroom])
    }

    @Test("a record lists the attack's requests and not the victim's reads, equal ones once, without tokens")
    func records() throws {
        func entry(_ time: Double, _ sender: Record.Sender, _ address: String, site: String?) -> Record.Entry {
            Record.Entry(
                time: time, sender: sender, method: "GET", address: address, origin: nil, site: site, hasCookie: true,
                status: 200, setsCookie: false)
        }
        let record = Record(
            origin: "http://app.localhost",
            entries: [
                entry(0, .browser, "/api/account", site: "same-origin"),
                entry(1, .browser, "/logout", site: "cross-site"), entry(2, .browser, "/logout", site: "cross-site"),
                entry(3, .thief, "/api/account", site: nil),
            ])
        #expect(record.relevant.map(\.entry.time) == [1, 3] && record.relevant.map(\.times) == [2, 1])
        #expect(
            record.relevant[0].entry.line
                == "from the browser: GET /logout (Sec-Fetch-Site cross-site, with cookie): 200")
        #expect(Record.withoutTokens("/live?access_token=eyJh.eyJi.c-_d&x=1") == "/live?access_token=<token>&x=1")
    }

    @Test("the HTML page links every cell to its evidence, and escapes it")
    func html() throws {
        let html = try report().html()
        for attack in Attack.all {
            for storage in StorageChoice.allCases {
                #expect(html.contains("href=\"#\(attack.name)-\(storage.rawValue)\""))
                #expect(html.contains("id=\"\(attack.name)-\(storage.rawValue)\""))
            }
        }
        #expect(html.contains("&lt;seen&gt; &amp; heard") && !html.contains("<seen>"))
    }

    @Test("the Markdown page links every cell to its evidence, which stands once for engines with the same")
    func markdown() throws {
        let cells = BrowserEngine.allCases.flatMap { engine in report().cells.map { Lab.Cell($0, in: engine) } }
        let text = try LabReport(cells: cells, engines: [], day: "").markdown(picture: "images/m.svg")
        for attack in Attack.all {
            for storage in StorageChoice.allCases {
                #expect(text.contains("](#\(attack.name)-\(storage.rawValue))"))
                #expect(text.contains("<a id=\"\(attack.name)-\(storage.rawValue)\">"))
            }
        }
        #expect(text.contains("✗ falls (Chromium, Firefox, WebKit): <seen> & heard."))
        #expect(text.contains("(images/m.svg)"))
    }

    @Test("the image has a title, a mark and a link for every cell, with a part for each verdict where engines differ")
    func picture() throws {
        var cells = report().cells
        let place = try #require(cells.firstIndex { $0.storage == .memory && $0.attack.name == "csrf" })
        var other = Lab.Cell(cells[place], in: .webkit)
        other.outcomes = [.of(true, [])]
        cells.append(other)
        let svg = MatrixPicture(report: LabReport(cells: cells, engines: [], day: ""), page: "page.md").svg
        for attack in Attack.all {
            for storage in StorageChoice.allCases {
                let link = "<a href=\"page.md#\(attack.name)-\(storage.rawValue)\">"
                #expect(svg.contains(link + "<g><title>\(attack.title.xmlEscaped), \(storage.title)"))
            }
        }
        #expect(svg.contains("JavaScript variable: holds in Chromium; falls in WebKit</title>"))
        let rows = Attack.all.count * StorageChoice.allCases.count
        let marks = svg.matches(of: /<rect class="(?:falls|holds|detected|none)"/).count
        #expect(marks == rows + 1 + AnswerText.legend.count + 2)
        #expect(throws: Never.self) { try XMLDocument(xmlString: svg) }
    }

    @Test("a saved run is the same report")
    func saved() throws {
        var first = report().cells[0]
        first.failures = ["no data arrived"]
        first.records = [
            Record(
                origin: "http://app.localhost",
                entries: [
                    Record.Entry(
                        time: 0.25, sender: .thief, method: "GET", address: "/", origin: nil, site: nil,
                        hasCookie: true, status: 200, setsCookie: false)
                ])
        ]
        let report = LabReport(
            cells: [first] + report().cells.dropFirst(), engines: [(.chromium, "Chromium 1")], day: "2026-01-31")
        let read = try SavedRun(parsing: try SavedRun(report).serialized).report()
        #expect(try read.html() == report.html() && read.problems == report.problems)
        #expect(try read.html().contains("from another machine: GET / (with cookie): 200"))
    }

    @Test(
        "files link to each other by relative paths",
        arguments: [
            ("docs/page.md", "docs/images/m.svg", "images/m.svg"), ("docs/images/m.svg", "docs/page.md", "../page.md"),
            ("page.md", "m.svg", "m.svg"), ("a/b/c.svg", "d/e.md", "../../d/e.md"),
        ])
    func links(_ source: String, _ destination: String, _ expected: String) {
        #expect(OutputFiles.path(from: source, to: destination) == expected)
    }

    @Test("where engines differ, each is named")
    func engines() throws {
        var cells = report().cells
        for index in cells.indices {
            var other = Lab.Cell(attack: cells[index].attack, storage: cells[index].storage, engine: .webkit)
            let isDifferent = other.storage == .memory && other.attack.name == "xss-session-fixation"
            other.outcomes = isDifferent ? [.of(true, [])] : cells[index].outcomes
            cells.append(other)
        }
        let both = LabReport(cells: cells, engines: [], day: "")
        let attack = try #require(Attack.all.first { $0.name == "xss-session-fixation" })
        #expect(both.verdicts(attack, .memory).map(\.name) == ["-", "falls"])
        #expect(both.verdicts(attack, .memory).map(\.engines) == [[.chromium], [.webkit]])
        #expect(both.verdicts(attack, .hybrid).map(\.engines) == [[]])
    }
}

extension Lab.Cell {
    /// The same in another engine.
    fileprivate init(_ other: Lab.Cell, in engine: BrowserEngine) {
        self.init(attack: other.attack, storage: other.storage, engine: engine)
        outcomes = other.outcomes
    }
}
