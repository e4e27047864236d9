import CloakroomTokens
package import Foundation

/// What a run has shown, and whether it is as expected.
package struct LabReport: Sendable {
    package let cells: [Lab.Cell]
    /// What each engine calls itself.
    package let engines: [(engine: BrowserEngine, version: String)]
    package let date: Date

    package init(cells: [Lab.Cell], engines: [(engine: BrowserEngine, version: String)], date: Date) {
        self.cells = cells
        self.engines = engines
        self.date = date
    }

    /// Why the run is worth nothing, or what of ours is not as it should be; empty when all is well.
    package var problems: [String] {
        cells.compactMap(problem) + engines.flatMap { engine, _ in attacks.compactMap { neverFalls($0, engine) } }
    }

    private func problem(_ cell: Lab.Cell) -> String? {
        let name = "\(cell.engine) \(cell.storage.rawValue) \(cell.attack.name)"
        guard let verdict = cell.verdict else {
            let reasons = cell.failures + Set(cell.outcomes.map(\.verdict.name)).sorted()
            return "\(name): no verdict: \(reasons.joined(separator: "; "))"
        }
        let expected = Expectation.verdict(cell.attack, cell.storage, cell.engine)
        guard cell.storage.isOurs, verdict.name != expected else { return nil }
        return "\(name): \(verdict.name), expected \(expected)"
    }

    /// An attack that nothing falls to proves nothing about what it holds against. One of ours does not count: what it
    /// falls to is no news.
    private func neverFalls(_ attack: Attack, _ engine: BrowserEngine) -> String? {
        let played = cells.filter { $0.attack.name == attack.name && $0.engine == engine }
        let hasFallen = played.contains { !$0.storage.isOurs && $0.verdict == .falls }
        return hasFallen ? nil : "\(engine) \(attack.name) has felled nothing: it may not have been an attack at all"
    }

    /// Cells of what is not ours that came out otherwise than before: browsers change.
    package var surprises: [String] {
        cells.compactMap { cell in
            let expected = Expectation.verdict(cell.attack, cell.storage, cell.engine)
            guard !cell.storage.isOurs, let verdict = cell.verdict, verdict.name != expected else { return nil }
            return "\(cell.engine) \(cell.storage.rawValue) \(cell.attack.name): \(verdict.name), was \(expected)"
        }
    }

    /// The cells of one place in the matrix, one for each engine.
    func cells(_ attack: Attack, _ storage: StorageChoice) -> [Lab.Cell] {
        cells.filter { $0.attack.name == attack.name && $0.storage == storage && !$0.isControl }
    }

    /// The verdicts of one place, each with the engines that it is of; one without engines where all agree.
    func verdicts(_ attack: Attack, _ storage: StorageChoice) -> [(name: String, engines: [BrowserEngine])] {
        let played = cells(attack, storage)
        let names = played.map { $0.verdict?.name ?? "no verdict" }
        let distinct = names.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        guard distinct.count > 1 else { return distinct.map { ($0, []) } }
        return distinct.map { name in (name, zip(played, names).filter { $1 == name }.map(\.0.engine)) }
    }

    /// What was seen at one place in the matrix, told once for the engines that agree to the word.
    func findings(_ attack: Attack, _ storage: StorageChoice) -> [Finding] {
        cells(attack, storage).reduce(into: []) { findings, cell in
            let finding = Finding(of: cell)
            let same = findings.firstIndex { $0.verdict == finding.verdict && $0.text == finding.text }
            if let index = same {
                findings[index].engines.append(cell.engine)
            } else {
                findings.append(finding)
            }
        }
    }

    /// A verdict with what it rests on.
    struct Finding {
        var engines: [BrowserEngine]
        let verdict: String
        let text: String
        /// Of the first of the engines, the first time that it was played.
        let record: Record?

        init(of cell: Lab.Cell) {
            engines = [cell.engine]
            verdict = cell.verdict.map { AnswerText.mark($0.name) } ?? "no verdict"
            text = (cell.outcomes.first?.evidence ?? cell.failures).joined(separator: "; ")
            record = cell.records.first
        }

        var names: String { engines.map(\.rawValue).joined(separator: ", ") }
    }

    /// The attacks that were played, in the order of the report.
    var attacks: [Attack] {
        Attack.all.filter { attack in cells.contains { $0.attack.name == attack.name } }
    }

    var storages: [StorageChoice] {
        StorageChoice.allCases.filter { storage in cells.contains { $0.storage == storage && !$0.isControl } }
    }

    var day: String {
        date.formatted(.iso8601.year().month().day())
    }

    /// The whole run for machines.
    package var json: [UInt8] {
        let cells: [JSONValue] = cells.map { cell in
            .object([
                "engine": .string(cell.engine.rawValue), "storage": .string(cell.storage.rawValue),
                "attack": .string(cell.attack.name), "control": .bool(cell.isControl),
                "verdict": cell.verdict.map { .string($0.name) } ?? .null,
                "expected": .string(Expectation.verdict(cell.attack, cell.storage, cell.engine)),
                "evidence": .array(cell.outcomes.map { .array($0.evidence.map { .string($0) }) }),
                "seconds_until_found_out": .array(cell.outcomes.map(\.verdict.json)),
                "records": .array(cell.records.map(\.json)),
                "failures": .array(cell.failures.map { .string($0) }),
            ])
        }
        let versions = engines.reduce(into: JSONObject()) { $0[$1.engine.rawValue] = .string($1.version) }
        return JSONValue.object([
            "date": .string(day), "engines": .object(versions), "cells": .array(cells),
            "problems": .array(problems.map { .string($0) }),
        ]).serialized
    }
}
