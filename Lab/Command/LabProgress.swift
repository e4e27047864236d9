/// Prints a line for each cell, with the time that the run still needs.
struct LabProgress: Sendable {
    let count: Int
    private let began = ContinuousClock.now

    init(count: Int) {
        self.count = count
    }

    /// Seconds.
    var elapsed: Int { Int(began.duration(to: .now).components.seconds) }

    func show(_ cell: Lab.Cell, done: Int) {
        let left = done > 0 ? elapsed * (count - done) / done : 0
        let style: Console.Style =
            switch cell.verdict {
            case .holds, .detected: .green
            case .falls: .red
            case .doesNotApply: .faint
            case nil: .yellow
            }
        let verdict = Console.styled(cell.verdict?.name ?? "no verdict", style)
        Console.print(
            "\(done)/\(count) \(cell.engine) \(cell.storage.rawValue) \(cell.attack.name): \(verdict), \(left) s left")
        for outcome in cell.outcomes.prefix(1) {
            Console.print(Console.styled("    " + outcome.evidence.joined(separator: "; "), .faint))
        }
        for failure in cell.failures { Console.print(Console.styled("    " + failure, .yellow)) }
    }
}
