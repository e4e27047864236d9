import Synchronization

/// The queue of one engine's cells, and their results.
final class Board: Sendable {
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

    /// The next cell and its place in the order of the report; nil when all are taken.
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
