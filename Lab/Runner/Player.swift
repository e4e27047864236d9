/// Plays cells from the board in one browser.
struct Player {
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

    /// - Returns: the browser's name and version.
    consuming func play(_ board: Board, _ repeats: Int) async throws -> String {
        let version = browser.description
        while let (place, taken) = board.take() {
            var cell = taken
            for round in 0..<repeats {
                let failures = cell.failures.count
                await play(&cell, "\(engine.rawValue.first ?? "x")\(place)r\(round)")
                // The browser may be in any state, and the next cell must start from a known one.
                if cell.failures.count > failures { await replaceBrowser() }
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
            let beganAt = ContinuousClock.now
            defer { cell.records.append(Record(of: scene, since: beganAt)) }
            cell.outcomes.append(try await cell.attack.play(scene))
        } catch {
            cell.failures.append("\(error)")
        }
    }

    /// Starts another browser. When that fails, the next cell fails too and calls this again.
    private mutating func replaceBrowser() async {
        await browser.end()
        if let another = try? await LabBrowser(engine) { browser = another }
    }
}
