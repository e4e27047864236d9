/// The results of a run, and whether they are as expected.
struct LabReport: Sendable {
    let cells: [Lab.Cell]
    /// Each engine with its name and version.
    let engines: [(engine: BrowserEngine, version: String)]
    /// In the form 2026-01-31.
    let day: String

    /// Why the run fails: an attack that did not run, a verdict of Cloakroom's that is not the expected one, or an attack
    /// that succeeded nowhere. Empty when all is well.
    var problems: [String] {
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

    /// An attack that succeeds nowhere may be broken, and then its other verdicts mean nothing. Cloakroom's cells do not
    /// count: an attack that succeeds only there would be one that was written against it.
    private func neverFalls(_ attack: Attack, _ engine: BrowserEngine) -> String? {
        let played = cells.filter { $0.attack.name == attack.name && $0.engine == engine }
        let hasFallen = played.contains { !$0.storage.isOurs && $0.verdict == .falls }
        return hasFallen ? nil : "\(engine) \(attack.name) succeeded against no storage choice: it may be broken"
    }

    /// Verdicts of storage choices other than Cloakroom's that are not the expected ones.
    var surprises: [String] {
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

    /// The different verdicts of one place, each with its engines; the engines are empty where all have the same verdict.
    func verdicts(_ attack: Attack, _ storage: StorageChoice) -> [(name: String, engines: [BrowserEngine])] {
        let played = cells(attack, storage)
        let names = played.map { $0.verdict?.name ?? "no verdict" }
        let distinct = names.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        guard distinct.count > 1 else { return distinct.map { ($0, []) } }
        return distinct.map { name in (name, zip(played, names).filter { $1 == name }.map(\.0.engine)) }
    }

    /// The evidence of one place in the matrix, once for all engines with the same sentences.
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

    /// A verdict with its evidence.
    struct Finding {
        var engines: [BrowserEngine]
        let verdict: String
        let text: String
        /// Of the first engine, the first time that the cell was played.
        let record: Record?

        init(of cell: Lab.Cell) {
            engines = [cell.engine]
            verdict = cell.verdict.map { AnswerText.mark($0.name) } ?? "no verdict"
            text = (cell.outcomes.first?.evidence ?? cell.failures).joined(separator: "; ")
            record = cell.records.first
        }

        var names: String { engines.map(\.title).joined(separator: ", ") }
    }

    /// The attacks that were played, in the order of the report.
    var attacks: [Attack] {
        Attack.all.filter { attack in cells.contains { $0.attack.name == attack.name } }
    }

    var storages: [StorageChoice] {
        StorageChoice.allCases.filter { storage in cells.contains { $0.storage == storage && !$0.isControl } }
    }
}
