import CloakroomTokens
import Foundation
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
                    case "found out": .foundOut(after: 3)
                    case "-": .doesNotApply
                    default: .holds
                    }
                cell.outcomes = [Outcome(verdict: verdict, evidence: ["<seen> & heard"])]
                change(&cell)
                return cell
            }
        }
        return LabReport(cells: cells, engines: [(.chromium, "Chromium 1")], date: Date(timeIntervalSince1970: 0))
    }

    private func changed(_ storage: StorageChoice, _ attack: String, _ outcomes: [Outcome]) -> LabReport {
        report { cell in
            if cell.storage == storage, cell.attack.name == attack { cell.outcomes = outcomes }
        }
    }

    @Test("every cell has an expectation, and when all come out so there is nothing to say")
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

    @Test("every attack is expected to fell somebody")
    func attacks() {
        for attack in Attack.all {
            for engine in BrowserEngine.allCases { #expect(Expectation.victim(of: attack, engine) != nil) }
            #expect(attack.text.contains("**Who.**") && attack.text.contains("**Source.**"))
        }
    }

    @Test("one of ours that falls is a problem; one of the others is news about a browser")
    func differences() {
        let fallen = [Outcome(verdict: .falls, evidence: [])]
        let ours = changed(.cloakroom, "read-and-send", fallen)
        #expect(ours.problems == ["chromium cloakroom read-and-send: falls, expected holds"])
        let theirs = changed(.memory, "read-and-send", fallen)
        #expect(theirs.problems == [])
        #expect(theirs.surprises == ["chromium memory read-and-send: falls, was holds"])
    }

    @Test("an attack that did not run, or came out in two ways, has no verdict, and that is a problem")
    func noVerdict() {
        let two = changed(.cloakroom, "login-forgery", [.of(true, []), .of(false, [])])
        #expect(two.problems == ["chromium cloakroom login-forgery: no verdict: falls; holds"])
        let failed = report { cell in
            guard cell.storage == .memory, cell.attack.name == "ride-session" else { return }
            (cell.outcomes, cell.failures) = ([], ["no loot"])
        }
        #expect(failed.problems == ["chromium memory ride-session: no verdict: no loot"])
    }

    @Test("an attack that nothing falls to in an engine is a problem of the lab's own, whatever it does elsewhere")
    func neverFalls() {
        let tame = report { cell in
            if cell.attack.name == "ride-session" { cell.outcomes = [.of(cell.storage.isOurs, [])] }
        }
        #expect(tame.problems == ["chromium ride-session has felled nothing: it may not have been an attack at all"])
        let cells = tame.cells + report().cells.map { Lab.Cell($0, in: .webkit) }
        let both = LabReport(cells: cells, engines: [(.chromium, ""), (.webkit, "")], date: .now)
        #expect(both.problems == tame.problems)
    }

    @Test("whatever is played, each attack is shown to fell somebody, and what is played for that is not reported")
    func controls() {
        func cells(_ storages: [StorageChoice]) -> [Lab.Cell] {
            Lab.Selection(engines: [.firefox], storages: storages, attacks: Attack.all, repeats: 1, browsers: 1)
                .cells(.firefox)
        }
        let ours = cells([.cloakroom])
        #expect(ours.filter(\.isControl).map(\.attack.name) == Attack.all.map(\.name))
        #expect(ours.allSatisfy { !$0.isControl || !$0.storage.isOurs })
        #expect(cells(StorageChoice.allCases).allSatisfy { !$0.isControl })
        let report = LabReport(cells: ours, engines: [(.firefox, "")], date: .now)
        #expect(report.storages == [.cloakroom])
    }

    @Test("a record tells of the attack and not of the victim's own page, the same only once, and holds no token")
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
        #expect(record.telling.map(\.entry.time) == [1, 3] && record.telling.map(\.times) == [2, 1])
        #expect(
            record.telling[0].entry.line
                == "from the browser: GET /logout (Sec-Fetch-Site cross-site, with cookie): 200")
        #expect(record.json.arrayValue?.count == 4)
        #expect(Record.withoutTokens("/live?access_token=eyJh.eyJi.c-_d&x=1") == "/live?access_token=<token>&x=1")
    }

    @Test("the page links every cell to its evidence, and writes what was seen as text")
    func html() {
        let html = report().html
        for attack in Attack.all {
            for storage in StorageChoice.allCases {
                #expect(html.contains("href=\"#\(attack.name)-\(storage.rawValue)\""))
                #expect(html.contains("id=\"\(attack.name)-\(storage.rawValue)\""))
            }
        }
        #expect(html.contains("&lt;seen&gt; &amp; heard") && !html.contains("<seen>"))
    }

    @Test("the page in Markdown leads from every cell to what was seen there, told once where the engines agree")
    func markdown() {
        let cells = BrowserEngine.allCases.flatMap { engine in report().cells.map { Lab.Cell($0, in: engine) } }
        let text = LabReport(cells: cells, engines: [], date: .now).markdown
        for attack in Attack.all {
            for storage in StorageChoice.allCases {
                #expect(text.contains("](#\(attack.name)-\(storage.rawValue))"))
                #expect(text.contains("<a id=\"\(attack.name)-\(storage.rawValue)\">"))
            }
        }
        #expect(text.contains("chromium, firefox, webkit: ✗ falls. <seen> & heard."))
    }

    @Test("where engines differ, each is named")
    func engines() throws {
        var cells = report().cells
        for index in cells.indices {
            var other = Lab.Cell(attack: cells[index].attack, storage: cells[index].storage, engine: .webkit)
            let isDifferent = other.storage == .memory && other.attack.name == "plant-session"
            other.outcomes = isDifferent ? [.of(true, [])] : cells[index].outcomes
            cells.append(other)
        }
        let both = LabReport(cells: cells, engines: [], date: .now)
        let attack = try #require(Attack.all.first { $0.name == "plant-session" })
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
