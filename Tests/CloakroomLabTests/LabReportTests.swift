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
                    switch Expectation.verdict(attack, storage) {
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
                #expect(Expectation.verdict(attack, storage) != "?")
            }
        }
        #expect(report().problems == [] && report().surprises == [])
    }

    @Test("every attack is expected to fell somebody")
    func attacks() {
        for attack in Attack.all {
            #expect(StorageChoice.allCases.contains { Expectation.verdict(attack, $0) == "falls" })
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

    @Test("an attack that nothing falls to is a problem of the lab's own")
    func neverFalls() {
        let tame = report { cell in
            if cell.attack.name == "ride-session" { cell.outcomes = [.of(false, [])] }
        }
        #expect(tame.problems.contains { $0.hasPrefix("ride-session has felled nothing") })
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
        #expect(both.verdicts(attack, .memory).map(\.name) == ["holds", "falls"])
        #expect(both.verdicts(attack, .memory).map(\.engines) == [[.chromium], [.webkit]])
        #expect(both.verdicts(attack, .hybrid).map(\.engines) == [[]])
    }
}
