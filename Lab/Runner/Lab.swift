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

        package init(engines: [BrowserEngine], storages: [StorageChoice], attacks: [Attack], repeats: Int) {
            self.engines = engines
            self.storages = storages
            self.attacks = attacks
            self.repeats = repeats
        }

        package var count: Int { engines.count * storages.count * attacks.count * repeats }
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

    /// - Parameter progress: told of each cell once it has been played.
    package func run(_ progress: @Sendable (Cell, _ done: Int) -> Void) async throws -> LabReport {
        let attacker = try await AttackerServer()
        defer { attacker.end() }
        var cells: [Cell] = []
        var versions: [(engine: BrowserEngine, version: String)] = []
        for engine in selection.engines {
            let browser = try await LabBrowser(engine)
            versions.append((engine, browser.description))
            do {
                try await play(browser, attacker, &cells, progress)
            } catch {
                await browser.end()
                throw error
            }
            await browser.end()
        }
        return LabReport(cells: cells, engines: versions, date: .now)
    }

    private func play(
        _ browser: LabBrowser, _ attacker: AttackerServer, _ cells: inout [Cell],
        _ progress: @Sendable (Cell, Int) -> Void
    ) async throws {
        for storage in selection.storages {
            let target = try await Target(storage)
            defer { target.end() }
            for attack in selection.attacks {
                var cell = Cell(attack: attack, storage: storage, engine: browser.engine)
                for round in 0..<selection.repeats {
                    await play(&cell, "c\(cells.count)r\(round)", target, attacker, browser)
                }
                cells.append(cell)
                progress(cell, cells.count * selection.repeats)
            }
        }
    }

    private func play(
        _ cell: inout Cell, _ name: String, _ target: Target, _ attacker: AttackerServer, _ browser: LabBrowser
    ) async {
        do {
            let scene = try await Scene(name, target, attacker, browser)
            cell.outcomes.append(try await cell.attack.play(scene))
        } catch {
            cell.failures.append("\(error)")
        }
    }
}
