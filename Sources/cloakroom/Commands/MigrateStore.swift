import ArgumentParser
import CloakroomCore
import CloakroomFiles
import CloakroomPostgres
import CloakroomSQLite
import CloakroomSessions
import CloakroomStores
import CloakroomTokens
import Crypto

/// `cloakroom migrate-store`
struct MigrateStore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate-store",
        abstract: "Move all data from SQLite to an empty PostgreSQL database. No user is logged out.",
        discussion: """
            Without --finish it copies while a server uses the database, and may be run again. With --finish it copies what \
            has changed since, compares every row, adds the keys of the data directory, and marks the SQLite database as \
            moved: no server uses it again. Writes wait meanwhile. A run that was interrupted is continued by the next \
            one. See docs/migrate-store.md.
            """)
    @Argument(help: ArgumentHelp("The database to move.", valueName: "sqlite:PATH")) var source: String
    @Argument(help: ArgumentHelp("The empty database.", valueName: "postgres://…")) var target: String
    @Flag(help: "Copy the rest and move.") var finish = false
    @OptionGroup var administration: Administration

    private typealias Places = (path: String, address: PostgresAddress)

    func validate() throws {
        if let fault = ValueSyntax<StorePlace>.store.fault(target) {
            throw ValidationError("\(fault)")
        }
        guard (try? places()) != nil else {
            throw ValidationError("expected sqlite:PATH and postgres://HOST/DATABASE, in this order")
        }
    }

    private func places() throws -> Places {
        guard case .sqlite(let path) = ValueSyntax<StorePlace>.store.parse(source),
            case .postgres(let address) = ValueSyntax<StorePlace>.store.parse(target)
        else { throw Administration.Failure("migrate-store moves SQLite to PostgreSQL") }
        return (path, address)
    }

    func run() async throws {
        try await administration.report { settings in
            let places = try places()
            _ = try settings.data.masterSecrets()
            let files = try KeyFiles(directory: DataDirectory(existing: settings.data.directory))
            let source = try MoveSource(path: places.path)
            defer { source.close() }
            try source.read { try refuseOtherKeys(files, $0, places) }
            let target = try MoveTarget(places.address)
            let claim = try claim(source, target, places)
            guard !claim.isFinished else {
                Terminal.complain("the data is in \(places.address) already")
                return nil
            }
            return Table(try await move(source, target, claim, files, places, settings))
        }
    }

    /// The mark in the target. A source whose data has moved goes on with the target that it names, and with no other.
    private func claim(_ source: MoveSource, _ target: MoveTarget, _ places: Places) throws -> MoveTarget.Claim {
        let found = try target.claim(of: source.migration)
        if let seal = try source.seal() {
            guard let found, found.number == seal.target else {
                throw UnusableData(.cannotBeMade, "the data of \(places.path) has moved to \(seal.place)")
            }
            return found
        }
        guard found?.isFinished != true else {
            throw UnusableData(
                .damaged, "the data is in \(places.address) already, and \(places.path) is a copy from before the move")
        }
        return try found ?? target.makeClaim(of: source.migration, source: "sqlite:\(places.path)")
    }

    /// Refuses the keys of another data directory, or of an old copy: sessions that need others would end at the move.
    private func refuseOtherKeys(_ files: KeyFiles, _ rows: MoveRows, _ places: Places) throws {
        let directory = files.directory.path
        guard let keys = try files.read() else {
            throw UnusableData(.missing, "there are no keys in \(directory); see --data-dir")
        }
        let missing = try rows.refreshKeys(at: Environment.system.now()).filter { keys.refreshKey($0) == nil }
        guard let id = missing.min() else { return }
        throw UnusableData(
            .damaged,
            "sessions in \(places.path) need the refresh secret \(id), which is not in \(directory); see --data-dir")
    }

    private func move(
        _ source: MoveSource, _ target: MoveTarget, _ claim: MoveTarget.Claim, _ files: KeyFiles, _ places: Places,
        _ settings: Settings
    ) async throws -> [StoreMove.Result] {
        let copy = StoreMove(target: target)
        let results: [StoreMove.Result]
        if try source.seal() == nil {
            let copied = try copyOnline(source, copy)
            guard finish else {
                Terminal.complain("copied; servers still use \(places.path). With --finish it moves")
                return copied
            }
            results = try moveRest(source, copy, after: copied, claim, files, places)
        } else {
            results = try source.read { try copy.copy($0, verifies: true) }
        }
        try await addKeys(of: files, to: places.address, settings)
        try target.finish(migration: source.migration)
        Terminal.complain("moved; set store to \(places.address.withoutPassword) and start the servers")
        return results
    }

    /// Copies until little changes during a pass.
    private func copyOnline(_ source: MoveSource, _ copy: StoreMove) throws -> [StoreMove.Result] {
        var results: [StoreMove.Result] = []
        for _ in 0..<Self.passes {
            let before = changes(results)
            results = try source.read { try copy.copy($0, after: results, verifies: false) }
            if changes(results) - before < Self.few { break }
        }
        return results
    }

    private func changes(_ results: [StoreMove.Result]) -> Int {
        results.reduce(0) { $0 + $1.written + $1.deleted }
    }

    private static let passes = 4
    private static let few = 2000

    private func moveRest(
        _ source: MoveSource, _ copy: StoreMove, after copied: [StoreMove.Result], _ claim: MoveTarget.Claim,
        _ files: KeyFiles, _ places: Places
    ) throws -> [StoreMove.Result] {
        var time = Duration.zero
        let seal = MoveSource.Seal(place: places.address.withoutPassword, target: claim.number)
        let results = try source.move(seal) { rows in
            try refuseOtherKeys(files, rows, places)
            var results: [StoreMove.Result] = []
            time = try ContinuousClock().measure { results = try copy.copy(rows, after: copied, verifies: true) }
            return results
        }
        Terminal.complain("writes waited \((time / .milliseconds(1)).rounded() / 1000) s")
        return results
    }

    /// Adds the keys after the last token was issued with them.
    private func addKeys(of files: KeyFiles, to address: PostgresAddress, _ settings: Settings) async throws {
        guard let keys = try files.read() else {
            throw UnusableData(.missing, "the keys in \(files.directory.path) have vanished")
        }
        let store = try PostgresStore(address, isFilling: true, as: .command)
        defer { store.close() }
        _ = try await KeyPlace(settings.data, files.directory, store, .system).adding(keys)
    }
}

extension Table {
    fileprivate init(_ results: [StoreMove.Result]) {
        let areCompared = results.allSatisfy { $0.digest != nil }
        self.init(columns: ["table", "rows", "written", "deleted"] + (areCompared ? ["digest"] : []))
        rows = results.map { result in
            let counts = [result.rows, result.written, result.deleted].map { number in
                Cell("\(number)", json: .integer(Int64(number)))
            }
            let digests = (areCompared ? result.digest.map { [$0] } ?? [] : []).map { digest in
                Cell(digest.finalize().prefix(8).map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined())
            }
            return [Cell(result.table.rawValue)] + counts + digests
        }
    }
}
