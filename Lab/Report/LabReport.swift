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
        cells.compactMap(problem) + Attack.all.compactMap(neverFalls)
    }

    private func problem(_ cell: Lab.Cell) -> String? {
        let name = "\(cell.engine) \(cell.storage.rawValue) \(cell.attack.name)"
        guard let verdict = cell.verdict else {
            let reasons = cell.failures + Set(cell.outcomes.map(\.verdict.name)).sorted()
            return "\(name): no verdict: \(reasons.joined(separator: "; "))"
        }
        let expected = Expectation.verdict(cell.attack, cell.storage)
        guard cell.storage.isOurs, verdict.name != expected else { return nil }
        return "\(name): \(verdict.name), expected \(expected)"
    }

    /// An attack that nothing falls to proves nothing about what it holds against.
    private func neverFalls(_ attack: Attack) -> String? {
        let played = cells.filter { $0.attack.name == attack.name }
        guard Set(played.map(\.storage)).count == StorageChoice.allCases.count else { return nil }
        let hasFallen = played.contains { $0.verdict == .falls }
        return hasFallen ? nil : "\(attack.name) has felled nothing: it may not have been an attack at all"
    }

    /// Cells of what is not ours that came out otherwise than before: browsers change.
    package var surprises: [String] {
        cells.compactMap { cell in
            let expected = Expectation.verdict(cell.attack, cell.storage)
            guard !cell.storage.isOurs, let verdict = cell.verdict, verdict.name != expected else { return nil }
            return "\(cell.engine) \(cell.storage.rawValue) \(cell.attack.name): \(verdict.name), was \(expected)"
        }
    }

    /// The cells of one place in the matrix, one for each engine.
    func cells(_ attack: Attack, _ storage: StorageChoice) -> [Lab.Cell] {
        cells.filter { $0.attack.name == attack.name && $0.storage == storage }
    }

    /// The verdicts of one place, each with the engines that it is of; one without engines where all agree.
    func verdicts(_ attack: Attack, _ storage: StorageChoice) -> [(name: String, engines: [BrowserEngine])] {
        let played = cells(attack, storage)
        let names = played.map { $0.verdict?.name ?? "no verdict" }
        let distinct = names.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        guard distinct.count > 1 else { return distinct.map { ($0, []) } }
        return distinct.map { name in (name, zip(played, names).filter { $1 == name }.map(\.0.engine)) }
    }

    /// The attacks that were played, in the order of the report.
    var attacks: [Attack] {
        Attack.all.filter { attack in cells.contains { $0.attack.name == attack.name } }
    }

    var storages: [StorageChoice] {
        StorageChoice.allCases.filter { storage in cells.contains { $0.storage == storage } }
    }

    var day: String {
        date.formatted(.iso8601.year().month().day())
    }

    /// The whole run for machines.
    package var json: [UInt8] {
        let cells: [JSONValue] = cells.map { cell in
            .object([
                "engine": .string(cell.engine.rawValue), "storage": .string(cell.storage.rawValue),
                "attack": .string(cell.attack.name), "verdict": cell.verdict.map { .string($0.name) } ?? .null,
                "expected": .string(Expectation.verdict(cell.attack, cell.storage)),
                "evidence": .array(cell.outcomes.map { .array($0.evidence.map { .string($0) }) }),
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
