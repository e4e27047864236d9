package import CloakroomStores
import Foundation

/// Plays attacks against storage choices in real browsers.
package struct Lab: Sendable {
    /// Which cells to play.
    package struct Selection: Sendable {
        package var engines: [BrowserEngine]
        package var storages: [StorageChoice]
        package var attacks: [Attack]
        /// How often each cell is played.
        package var repeats: Int
        /// How many browsers of an engine play at the same time.
        package var browsers: Int

        package init(
            engines: [BrowserEngine], storages: [StorageChoice], attacks: [Attack], repeats: Int, browsers: Int
        ) {
            self.engines = engines
            self.storages = storages
            self.attacks = attacks
            self.repeats = repeats
            self.browsers = browsers
        }

        package var count: Int { engines.map { cells($0).count }.reduce(0, +) * repeats }

        /// Every cell, in the order of the report, and for each attack that fells none of them one that it does fell.
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

    /// One attack on one storage choice in one engine, each time it was played.
    package struct Cell: Sendable {
        package let attack: Attack
        package let storage: StorageChoice
        package let engine: BrowserEngine
        /// Whether it was played for the attack's sake alone.
        package var isControl = false
        package var outcomes: [Outcome] = []
        /// What the servers saw, each time it was played.
        var records: [Record] = []
        /// Why there is no verdict: the attack did not run.
        package var failures: [String] = []

        /// What it is, when it was the same each time.
        package var verdict: Verdict? {
            guard failures.isEmpty, Set(outcomes.map(\.verdict.name)).count == 1 else { return nil }
            return outcomes.first?.verdict
        }
    }

    /// Makes a store of ours in this file.
    package typealias OpenStore = @Sendable (_ path: String) throws -> any Store

    private let selection: Selection
    private let openStore: OpenStore

    package init(_ selection: Selection, openStore: @escaping OpenStore) {
        self.selection = selection
        self.openStore = openStore
    }

    /// - Parameter progress: told of each cell once it has been played, one at a time.
    package func run(_ progress: @escaping @Sendable (Cell, _ done: Int) -> Void) async throws -> LabReport {
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
        return LabReport(cells: cells, engines: versions, date: .now)
    }

    /// - Returns: what the engine calls itself.
    private func play(_ engine: BrowserEngine, _ board: Board, _ attacker: AttackerServer) async throws -> String {
        var targets: [StorageChoice: Target] = [:]
        defer { for target in targets.values { target.end() } }
        for storage in Set(board.cells.map(\.storage)) { targets[storage] = try await Target(storage, openStore) }
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
