import Foundation

/// A run as a JSON file.
struct SavedRun: Codable {
    struct Cell: Codable {
        let engine: BrowserEngine
        let storage: StorageChoice
        let attack: String
        let control: Bool
        /// Absent where the cell has none. Readers use it and `expected`; the lab derives both again.
        let verdict: String?
        let expected: String
        let outcomes: [Outcome]
        let records: [Record]
        let failures: [String]
    }

    struct Outcome: Codable {
        let verdict: String
        let secondsUntilDetection: Double?
        let evidence: [String]
    }

    let day: String
    let engines: [String: String]
    let cells: [Cell]
    let problems: [String]

    init(_ report: LabReport) {
        day = report.day
        engines = Dictionary(report.engines.map { ($0.engine.rawValue, $0.version) }) { $1 }
        problems = report.problems
        cells = report.cells.map { cell in
            Cell(
                engine: cell.engine, storage: cell.storage, attack: cell.attack.name, control: cell.isControl,
                verdict: cell.verdict?.name,
                expected: Expectation.verdict(cell.attack, cell.storage, cell.engine),
                outcomes: cell.outcomes.map {
                    Outcome(
                        verdict: $0.verdict.name, secondsUntilDetection: $0.verdict.secondsUntilDetection,
                        evidence: $0.evidence)
                },
                records: cell.records, failures: cell.failures)
        }
    }

    init(parsing bytes: [UInt8]) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(Self.self, from: Data(bytes))
    }

    var serialized: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(self))
        }
    }

    /// - Throws: `LabError` for an attack that the lab does not have.
    func report() throws -> LabReport {
        let versions = BrowserEngine.allCases.compactMap { engine in
            engines[engine.rawValue].map { (engine: engine, version: $0) }
        }
        return LabReport(cells: try cells.map { try $0.cell() }, engines: versions, day: day)
    }
}

extension SavedRun.Cell {
    fileprivate func cell() throws -> Lab.Cell {
        guard let attack = Attack.all.first(where: { $0.name == attack }) else {
            throw LabError("no attack is named \(attack)")
        }
        var cell = Lab.Cell(attack: attack, storage: storage, engine: engine, isControl: control)
        cell.outcomes = try outcomes.map { try $0.outcome() }
        cell.records = records
        cell.failures = failures
        return cell
    }
}

extension SavedRun.Outcome {
    fileprivate func outcome() throws -> Outcome {
        guard let verdict = Verdict(named: verdict, secondsUntilDetection: secondsUntilDetection) else {
            throw LabError("\(verdict) is not a verdict")
        }
        return CloakroomLab.Outcome(verdict: verdict, evidence: evidence)
    }
}
