import CloakroomCore
import CloakroomFiles
import CloakroomSessions
import CloakroomStores
import CloakroomTesting
import CloakroomTokens
import Testing

@testable import CloakroomPostgres

/// What every source of keys must do: the files of a data directory, and a store that many instances share.
@Suite struct KeySourceTests {
    enum Place: CaseIterable {
        case files, postgres, pgbouncer
    }

    /// Is deleted with the test.
    private let temporary: TemporaryDirectory

    init() throws {
        temporary = try TemporaryDirectory()
    }

    /// Makes the sources of several processes that share one place.
    private struct Processes {
        private let directory: String
        private let database: PostgresCluster.Database?
        private let path: PostgresCluster.Path

        init(_ place: Place, _ temporary: TemporaryDirectory) throws {
            directory = temporary.path
            switch place {
            case .files: (database, path) = (nil, .direct)
            case .postgres: (database, path) = (try PostgresCluster.shared.get().database(), .direct)
            case .pgbouncer: (database, path) = (try PostgresCluster.shared.get().database(), .pgbouncer)
            }
        }

        func source() throws -> any KeySource {
            guard let database else { return KeyFiles(directory: try DataDirectory(directory)) }
            return StoredKeys(try PostgresStore(url: database.url(path))) {
                try #require(MasterSecrets(parsing: Base64URL.encode([UInt8](repeating: 7, count: 32))))
            }
        }
    }

    private static func start(_ source: any KeySource, _ algorithm: SignatureAlgorithm? = nil) async throws
        -> IssuerKeys
    {
        try await source.update { try .starting(with: $0, algorithm, under: SessionPolicy(), in: .system) }
    }

    private static func read(_ source: any KeySource) async throws -> IssuerKeys {
        let reading = try await source.read(since: nil)
        let keys: IssuerKeys? = if case .read(let keys, _) = reading { keys } else { nil }
        return try #require(keys)
    }

    /// Everything that is kept, with the keys in the clear.
    private static func contents(_ keys: IssuerKeys) -> [String] {
        keys.signing.map { entry in
            let key = "\(entry.key.id) \(entry.key.algorithm) \(entry.key.serialized)"
            return "\(key) \(entry.createdAt.milliseconds) \(entry.signsFrom.milliseconds)"
        }
            + keys.refresh.map { entry in
                "\(entry.key.id) \(entry.key.secret.bytes) \(entry.createdAt.milliseconds) \(entry.signsFrom.milliseconds)"
            } + keys.removed + ["\(keys.longestSession.milliseconds)"]
    }

    /// After the beginning of the keys that a test has made.
    private static var now: Instant { Environment.system.now() + .seconds(1) }

    @Test("a new place has no keys; the first process makes them, and each reads the same", arguments: Place.allCases)
    func start(_ place: Place) async throws {
        let processes = try Processes(place, temporary)
        let (one, two) = (try processes.source(), try processes.source())
        guard case .absent = try await one.read(since: nil) else { return #expect(Bool(false), "there are keys") }
        let made = try await Self.start(one)
        #expect(Self.contents(try await Self.read(two)) == Self.contents(made))
        #expect(Self.contents(try await Self.start(two)) == Self.contents(made))
    }

    @Test("processes that start at once have the same keys", arguments: Place.allCases)
    func startAtOnce(_ place: Place) async throws {
        let processes = try Processes(place, temporary)
        let sources = try (0..<6).map { _ in try processes.source() }
        let all = try await withThrowingTaskGroup(of: [String].self) { group in
            for source in sources { group.addTask { Self.contents(try await Self.start(source)) } }
            return try await group.reduce(into: Set<[String]>()) { $0.insert($1) }
        }
        #expect(all.count == 1)
    }

    @Test(
        "every kind of change reaches the other processes as it was made", arguments: Place.allCases,
        [SignatureAlgorithm.es256, .ed25519, .rs256])
    func changes(_ place: Place, _ algorithm: SignatureAlgorithm) async throws {
        let processes = try Processes(place, temporary)
        let (one, two) = (try processes.source(), try processes.source())
        let first = try await Self.start(one, algorithm).signing[0].key.id
        let now = Self.now
        let changes: [@Sendable (IssuerKeys) throws -> IssuerKeys] = [
            { try $0.rotated(from: now, at: now) }, { try $0.rotated(from: now + .minutes(10), at: now) },
            { try $0.withNewRefreshSecret(from: now, at: now, random: Environment.system.random) },
            { try $0.removing(first, at: now + .seconds(1)) },
            { try $0.serving(nil, longestSession: .days(400), at: now) },
        ]
        var before = Self.contents(try await Self.read(two))
        for change in changes {
            let saved = try await one.update { try change(try #require($0)) }
            let seen = Self.contents(try await Self.read(two))
            #expect(seen == Self.contents(saved) && seen != before)
            before = seen
        }
        #expect(try await Self.read(two).removed == [first])
        #expect(try await Self.read(two).longestSession == .days(400))
    }

    @Test(
        "an unchanged place says so to a process that has read it, and a changed one does not",
        arguments: Place.allCases)
    func revision(_ place: Place) async throws {
        let processes = try Processes(place, temporary)
        let (one, two) = (try processes.source(), try processes.source())
        _ = try await Self.start(one)
        guard case .read(_, let revision) = try await two.read(since: nil) else { return #expect(Bool(false)) }
        guard case .unchanged = try await two.read(since: revision) else { return #expect(Bool(false), "changed") }
        let now = Self.now
        _ = try await one.update { try #require($0).rotated(from: now, at: now) }
        guard case .read(_, let newer) = try await two.read(since: revision) else { return #expect(Bool(false)) }
        #expect(newer != revision)
    }

    @Test("a change that is refused changes nothing", arguments: Place.allCases)
    func refused(_ place: Place) async throws {
        let source = try Processes(place, temporary).source()
        let keys = try await Self.start(source)
        await #expect(throws: IssuerKeys.ChangeRefused.self) {
            try await source.update { try #require($0).removing(keys.signing[0].key.id, at: Self.now) }
        }
        #expect(Self.contents(try await Self.read(source)) == Self.contents(keys))
    }

    @Test("concurrent changes of several processes are all made", arguments: Place.allCases)
    func concurrent(_ place: Place) async throws {
        let processes = try Processes(place, temporary)
        let first = try await Self.start(processes.source()).signing[0].key.id
        let (signing, secrets, removal) = (
            try processes.source(), try processes.source(), try processes.source()
        )
        let now = Self.now
        _ = try await signing.update { try #require($0).rotated(from: now, at: now) }
        async let rotated = signing.update { try #require($0).rotated(from: now + .minutes(10), at: now) }
        async let renewed = secrets.update {
            try #require($0).withNewRefreshSecret(from: now, at: now, random: Environment.system.random)
        }
        async let removed = removal.update { try #require($0).removing(first, at: now + .seconds(1)) }
        _ = try await (rotated, renewed, removed)
        let keys = try await Self.read(signing)
        #expect(keys.signing.count == 2 && keys.refresh.count == 2 && keys.removed == [first])
    }

    @Test("keys that no token needs are not read any more", arguments: Place.allCases)
    func retired(_ place: Place) async throws {
        let processes = try Processes(place, temporary)
        let (one, two) = (try processes.source(), try processes.source())
        _ = try await Self.start(one)
        let now = Self.now
        for _ in 0..<3 { _ = try await one.update { try #require($0).rotated(from: now, at: now) } }
        let later = now + .days(200)
        let kept = try await one.update { try #require($0).rotated(from: later, at: later) }
        #expect(kept.signing.count < 5)
        #expect(Self.contents(try await Self.read(two)) == Self.contents(kept))
    }
}
