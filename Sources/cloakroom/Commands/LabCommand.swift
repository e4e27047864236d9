import ArgumentParser
import CloakroomLab
import CloakroomSQLite
import Foundation
import Logging
import UnixSignals

/// `cloakroom lab`
struct LabCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab",
        abstract: "Attack every way of storing tokens, in real browsers.",
        discussion: """
            Starts the same small bank once for each storage choice, carries out each attack in each browser, decides from \
            what arrived at the servers, and prints the matrix. Exit status 1 when Cloakroom's own rows are not as \
            expected, or an attack did not run. Needs the browsers of Debian's packages, and no root.
            """)

    @Option(help: "chromium, firefox or webkit; may be repeated. (default: all)")
    var engine: [BrowserEngine] = []
    @Option(help: "A storage choice, such as local-storage; may be repeated. (default: all)")
    var storage: [StorageChoice] = []
    @Option(help: "An attack, such as ride-session; may be repeated. (default: all)")
    var attack: [String] = []
    @Option(name: .customLong("repeat"), help: "How often each cell is played. (default: 1)")
    var repeats = 1
    @Option(help: "How many browsers of an engine play at the same time.")
    var browsers = 3
    @Flag(help: "Start the banks alone and wait for Ctrl-C: to attack them by hand.")
    var byHand = false
    @Option(help: ArgumentHelp("Write the run as JSON.", valueName: "file"))
    var json: String?
    @Option(help: ArgumentHelp("Write the report as one page.", valueName: "file"))
    var html: String?
    @Option(help: ArgumentHelp("Write the report in Markdown.", valueName: "file"))
    var markdown: String?

    func validate() throws {
        for name in attack where !Attack.all.contains(where: { $0.name == name }) {
            let names = Attack.all.map(\.name).joined(separator: ", ")
            throw ValidationError("no attack is named \(name). There are: \(names)")
        }
        guard 1...1000 ~= repeats else { throw ValidationError("--repeat expects 1 to 1000") }
        guard 1...16 ~= browsers else { throw ValidationError("--browsers expects 1 to 16") }
    }

    private static let openStore: Lab.OpenStore = { try SQLiteStore(path: $0) }

    private var selection: Lab.Selection {
        Lab.Selection(
            engines: engine.isEmpty ? BrowserEngine.allCases : engine,
            storages: storage.isEmpty ? StorageChoice.allCases : storage,
            attacks: attack.isEmpty ? Attack.all : Attack.all.filter { attack.contains($0.name) }, repeats: repeats,
            browsers: browsers)
    }

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        // The servers of the lab are attacked all the time, and say so.
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        let selection = selection
        if byHand { return try await waitForHands(selection.storages) }
        let missing = selection.engines.flatMap(\.missingPackages)
        guard missing.isEmpty else {
            Terminal.complain("please install what is missing: apt-get install \(missing.joined(separator: " "))")
            throw CommandExit.unavailable.code
        }
        let signals = Task { await Self.endOnSignal() }
        defer { signals.cancel() }
        let progress = LabProgress(count: selection.count)
        // Whatever throws: browsers are in sessions of their own.
        defer { ChildProcess.endAll() }
        let report = try await Lab(selection, openStore: Self.openStore).run { progress.show($0, done: $1) }
        try write(report)
        for surprise in report.surprises { Terminal.print("different from before: \(surprise)") }
        for problem in report.problems { Terminal.print("problem: \(problem)") }
        Terminal.print("\(report.cells.count) cells, \(report.problems.count) problems, \(progress.elapsed) s")
        if !report.problems.isEmpty { throw ExitCode.failure }
    }

    /// Says where the banks are, and keeps them open until a signal comes.
    private func waitForHands(_ storages: [StorageChoice]) async throws {
        var banks: [OpenBank] = []
        for storage in storages { banks.append(try await OpenBank(storage, Self.openStore)) }
        for bank in banks { Terminal.print("\(bank.storage.rawValue)\t\(bank.address)") }
        let password = OpenBank.password
        Terminal.print("victim: \(OpenBank.victim), attacker: \(OpenBank.thief), password of both: \(password)")
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { break }
        for bank in banks { bank.end() }
    }

    /// Browsers are in sessions of their own and would outlive an interrupted lab.
    private static func endOnSignal() async {
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
            ChildProcess.endAll()
            Foundation.exit(130)
        }
    }

    private func write(_ report: LabReport) throws {
        let files = [(json, report.json), (html, Array(report.html.utf8)), (markdown, Array(report.markdown.utf8))]
        for (path, bytes) in files {
            guard let path else { continue }
            do { try Data(bytes).write(to: URL(filePath: path)) } catch {
                Terminal.complain("\(path) cannot be written: \(error.localizedDescription)")
                throw CommandExit.refused.code
            }
        }
    }
}

/// A line for each cell, with the time that is left.
private struct LabProgress: Sendable {
    let count: Int
    private let began = ContinuousClock.now

    init(count: Int) {
        self.count = count
    }

    var elapsed: Int { Int(began.duration(to: .now).components.seconds) }

    func show(_ cell: Lab.Cell, done: Int) {
        let left = done > 0 ? elapsed * (count - done) / done : 0
        let style: Terminal.Style =
            switch cell.verdict {
            case .holds, .foundOut: .green
            case .falls: .red
            case .doesNotApply: .faint
            case nil: .yellow
            }
        let verdict = Terminal.styled(cell.verdict?.name ?? "no verdict", style)
        Terminal.print(
            "\(done)/\(count) \(cell.engine) \(cell.storage.rawValue) \(cell.attack.name): \(verdict), \(left) s left")
        for outcome in cell.outcomes.prefix(1) {
            Terminal.print(Terminal.styled("    " + outcome.evidence.joined(separator: "; "), .faint))
        }
        for failure in cell.failures { Terminal.print(Terminal.styled("    " + failure, .yellow)) }
    }
}

extension BrowserEngine: ExpressibleByArgument {}
extension StorageChoice: ExpressibleByArgument {}
