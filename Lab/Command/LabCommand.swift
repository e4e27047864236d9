import ArgumentParser
import Foundation
import Logging
import UnixSignals

/// The command `cloakroom-lab`.
@main
struct LabCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cloakroom-lab",
        abstract: "Attack every way of storing tokens, in real browsers.",
        discussion: """
            Starts the same small bank once for each storage choice, plays each attack in each browser, judges it by what the \
            servers recorded, and writes the matrix. Exit status 1 when a verdict of Cloakroom's is not the expected one, or \
            an attack did not run. Needs the browsers of Debian's packages, and no root.
            """)

    @Option(help: "chromium, firefox or webkit; may be repeated. (default: all)")
    var engine: [BrowserEngine] = []
    @Option(help: "A storage choice, such as local-storage; may be repeated. (default: all)")
    var storage: [StorageChoice] = []
    @Option(help: "An attack, such as session-riding; may be repeated. (default: all)")
    var attack: [String] = []
    @Option(name: .customLong("repeat"), help: "How often each cell is played. (default: 1)")
    var repeats = 1
    @Option(help: "How many browsers of an engine run at the same time.")
    var browsers = 3
    @Flag(help: "Only start the banks and wait for Ctrl-C, for attacks by hand.")
    var byHand = false
    @Option(help: ArgumentHelp("Render a run that --json has written, and play nothing.", valueName: "file"))
    var saved: String?
    @OptionGroup var output: OutputFiles

    func validate() throws {
        for name in attack where !Attack.all.contains(where: { $0.name == name }) {
            let names = Attack.all.map(\.name).joined(separator: ", ")
            throw ValidationError("no attack is named \(name). There are: \(names)")
        }
        guard 1...1000 ~= repeats else { throw ValidationError("--repeat expects 1 to 1000") }
        guard 1...16 ~= browsers else { throw ValidationError("--browsers expects 1 to 16") }
    }

    private var selection: Lab.Selection {
        Lab.Selection(
            engines: engine.isEmpty ? BrowserEngine.allCases : engine,
            storages: storage.isEmpty ? StorageChoice.allCases : storage,
            attacks: attack.isEmpty ? Attack.all : Attack.all.filter { attack.contains($0.name) }, repeats: repeats,
            browsers: browsers)
    }

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        // The banks' servers log every attack as a warning.
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        do {
            if let saved {
                try output.write(try Self.report(in: saved))
            } else if byHand {
                try await openBanks(selection.storages)
            } else {
                try await play(selection)
            }
        } catch let error as LabError {
            Console.complain(error.description)
            throw ExitCode.failure
        }
    }

    private static func report(in file: String) throws -> LabReport {
        let run: SavedRun
        do { run = try SavedRun(parsing: Array(try Data(contentsOf: URL(filePath: file)))) } catch {
            throw LabError("\(file) is no saved run: \(error.localizedDescription)")
        }
        return try run.report()
    }

    private func play(_ selection: Lab.Selection) async throws {
        let missing = selection.engines.flatMap(\.missingPackages)
        guard missing.isEmpty else {
            Console.complain("please install what is missing: apt-get install \(missing.joined(separator: " "))")
            throw ExitCode(EX_UNAVAILABLE)
        }
        let signals = Task { await Self.endOnSignal() }
        defer { signals.cancel() }
        let progress = LabProgress(count: selection.count)
        // Browsers run in process sessions of their own and would outlive the lab.
        defer { ChildProcess.endAll() }
        let report = try await Lab(selection).run { progress.show($0, done: $1) }
        try output.write(report)
        for surprise in report.surprises { Console.print("different from before: \(surprise)") }
        for problem in report.problems { Console.print("problem: \(problem)") }
        Console.print("\(report.cells.count) cells, \(report.problems.count) problems, \(progress.elapsed) s")
        if !report.problems.isEmpty { throw ExitCode.failure }
    }

    /// Prints the banks' addresses, and ends the banks at the first signal.
    private func openBanks(_ storages: [StorageChoice]) async throws {
        var banks: [OpenBank] = []
        for storage in storages { banks.append(try await OpenBank(storage)) }
        for bank in banks { Console.print("\(bank.storage.rawValue)\t\(bank.address)") }
        let password = OpenBank.password
        Console.print("victim: \(OpenBank.victim), attacker: \(OpenBank.thief), password of both: \(password)")
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { break }
        for bank in banks { bank.end() }
    }

    private static func endOnSignal() async {
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
            ChildProcess.endAll()
            Foundation.exit(130)
        }
    }
}

extension BrowserEngine: ExpressibleByArgument {}
extension StorageChoice: ExpressibleByArgument {}
