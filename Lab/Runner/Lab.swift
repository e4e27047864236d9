import Foundation

/// Plays attacks against storage choices in real browsers.
struct Lab: Sendable {
    /// Which cells to play.
    struct Selection: Sendable {
        var engines: [BrowserEngine]
        var storages: [StorageChoice]
        var attacks: [Attack]
        /// How often each cell is played.
        var repeats: Int
        /// How many browsers of an engine play at the same time.
        var browsers: Int

        var count: Int { engines.map { cells($0).count }.reduce(0, +) * repeats }

        /// The selected cells in the order of the report, and a control for each attack that succeeds against none of
        /// them: a cell in which it does succeed.
        func cells(_ engine: BrowserEngine) -> [Cell] {
            let asked = storages.flatMap { storage in
                attacks.map { Cell(attack: $0, storage: storage, engine: engine) }
            }
            let controls = attacks.compactMap { attack -> Cell? in
                let falls = storages.contains { !$0.isOurs && Expectation.verdict(attack, $0, engine) == "falls" }
                guard !falls, let victim = Expectation.victim(of: attack, engine) else { return nil }
                return Cell(attack: attack, storage: victim, engine: engine, isControl: true)
            }
            return asked + controls
        }
    }

    /// One attack on one storage choice in one engine, with the results of each time that it was played.
    struct Cell: Sendable {
        let attack: Attack
        let storage: StorageChoice
        let engine: BrowserEngine
        /// Whether it was not selected and was played to show that the attack works.
        var isControl = false
        var outcomes: [Outcome] = []
        /// The requests that the servers received, for each time that it was played.
        var records: [Record] = []
        /// Why the attack did not run; then there is no verdict.
        var failures: [String] = []

        /// nil unless every time had the same verdict.
        var verdict: Verdict? {
            guard failures.isEmpty, Set(outcomes.map(\.verdict.name)).count == 1 else { return nil }
            return outcomes.first?.verdict
        }
    }

    private let selection: Selection

    init(_ selection: Selection) {
        self.selection = selection
    }

    /// - Parameter progress: called after each cell, one call at a time.
    func run(_ progress: @escaping @Sendable (Cell, _ done: Int) -> Void) async throws -> LabReport {
        let attacker = try await AttackerServer()
        defer { attacker.end() }
        var cells: [Cell] = []
        var versions: [(engine: BrowserEngine, version: String)] = []
        for engine in selection.engines {
            let board = Board(selection.cells(engine)) { [done = cells.count, selection] cell, count in
                progress(cell, (done + count) * selection.repeats)
            }
            versions.append((engine, try await play(engine, board, attacker)))
            cells += board.cells
        }
        return LabReport(cells: cells, engines: versions, day: Date.now.formatted(.iso8601.year().month().day()))
    }

    /// - Returns: the engine's name and version.
    private func play(_ engine: BrowserEngine, _ board: Board, _ attacker: AttackerServer) async throws -> String {
        var targets: [StorageChoice: Target] = [:]
        defer { for target in targets.values { target.end() } }
        for storage in Set(board.cells.map(\.storage)) { targets[storage] = try await Target(storage) }
        return try await withThrowingTaskGroup(of: String.self) { [targets, selection] group in
            for _ in 0..<min(selection.browsers, board.cells.count) {
                group.addTask {
                    let player = try await Player(engine, attacker, targets)
                    return try await player.play(board, selection.repeats)
                }
            }
            return try await group.reduce("") { $1 }
        }
    }
}
