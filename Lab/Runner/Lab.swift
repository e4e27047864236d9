import Foundation
import Synchronization

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

        package var count: Int { engines.count * storages.count * attacks.count * repeats }

        /// Every cell, in the order of the report.
        func cells(_ engine: BrowserEngine) -> [Cell] {
            storages.flatMap { storage in
                attacks.map { Cell(attack: $0, storage: storage, engine: engine) }
            }
        }
    }

    /// One attack on one storage choice in one engine, each time it was played.
    package struct Cell: Sendable {
        package let attack: Attack
        package let storage: StorageChoice
        package let engine: BrowserEngine
        package var outcomes: [Outcome] = []
        /// Why there is no verdict: the attack did not run.
        package var failures: [String] = []

        /// What it is, when it was the same each time.
        package var verdict: Verdict? {
            guard failures.isEmpty, Set(outcomes.map(\.verdict.name)).count == 1 else { return nil }
            return outcomes.first?.verdict
        }
    }

    private let selection: Selection

    package init(_ selection: Selection) {
        self.selection = selection
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
        for storage in selection.storages { targets[storage] = try await Target(storage) }
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

/// The cells of one engine: those that wait for a player, and those that were played.
private final class Board: Sendable {
    private struct State {
        var cells: [Lab.Cell]
        var taken = 0
        var played = 0
    }

    private let state: Mutex<State>
    private let progress: @Sendable (Lab.Cell, Int) -> Void

    init(_ cells: [Lab.Cell], _ progress: @escaping @Sendable (Lab.Cell, Int) -> Void) {
        state = Mutex(State(cells: cells))
        self.progress = progress
    }

    var cells: [Lab.Cell] { state.withLock { $0.cells } }

    /// The next cell, with its place on the board; nil when all are taken.
    func take() -> (place: Int, cell: Lab.Cell)? {
        state.withLock { state in
            guard state.taken < state.cells.count else { return nil }
            defer { state.taken += 1 }
            return (state.taken, state.cells[state.taken])
        }
    }

    func put(_ cell: Lab.Cell, at place: Int) {
        state.withLock { state in
            state.cells[place] = cell
            state.played += 1
            progress(cell, state.played)
        }
    }
}

/// One browser, playing cell after cell.
private struct Player {
    private let engine: BrowserEngine
    private let attacker: AttackerServer
    private let targets: [StorageChoice: Target]
    private var browser: LabBrowser

    init(_ engine: BrowserEngine, _ attacker: AttackerServer, _ targets: [StorageChoice: Target]) async throws {
        self.engine = engine
        self.attacker = attacker
        self.targets = targets
        browser = try await LabBrowser(engine)
    }

    /// - Returns: what the browser calls itself.
    consuming func play(_ board: Board, _ repeats: Int) async throws -> String {
        let version = browser.description
        while let (place, taken) = board.take() {
            var cell = taken
            for round in 0..<repeats {
                await play(&cell, "\(engine.rawValue.first ?? "x")\(place)r\(round)")
                // Whatever state it is in, the next cell shall not suffer from it.
                if !cell.failures.isEmpty { try await replaceBrowser() }
            }
            board.put(cell, at: place)
        }
        await browser.end()
        return version
    }

    private func play(_ cell: inout Lab.Cell, _ name: String) async {
        do {
            guard let target = targets[cell.storage] else { throw LabError("no server for \(cell.storage)") }
            let scene = try await Scene(name, target, attacker, browser)
            cell.outcomes.append(try await cell.attack.play(scene))
        } catch {
            cell.failures.append("\(error)")
        }
    }

    private mutating func replaceBrowser() async throws {
        await browser.end()
        browser = try await LabBrowser(engine)
    }
}
