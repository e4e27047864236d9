import CloakroomCore
import CloakroomFiles
import CloakroomTesting
import CloakroomTokens
import Logging
import Testing

@testable import CloakroomSessions

@Suite struct KeyIntervalTests {
    private static let interval = Span.days(30)
    private let time = TestEnvironment()
    private let store: InMemoryKeys
    private let temporary: TemporaryDirectory

    enum Place: CaseIterable {
        case store, files
    }

    /// One of the processes that share the keys.
    private struct Instance {
        let source: any KeySource
        let keys: LiveKeys<IssuerKeys>
        let rotation: KeyRotation

        var ids: [String] { keys.current.signing.map(\.key.id) + keys.current.refresh.map(\.key.id) }

        func read() async throws {
            if case .read(let newer, _) = try await source.read(since: nil) { keys.replace(with: newer) }
        }
    }

    init() throws {
        let time = time
        store = InMemoryKeys { time.now }
        temporary = try TemporaryDirectory()
    }

    private func instance(
        _ place: Place = .store, every interval: Span = KeyIntervalTests.interval, log: CapturedLog = CapturedLog()
    ) async throws -> Instance {
        let time = time
        let environment = Environment(
            now: { time.now }, uptime: { time.uptime }, random: Environment.system.random)
        let (source, first): (any KeySource, IssuerKeys)
        switch place {
        case .store:
            let stored = StoredKeys(store, environment: environment) { MasterSecretTests.secrets(1) }
            (source, first) = (stored, try await stored.open(.ed25519, under: SessionPolicy()))
        case .files:
            let files = KeyFiles(directory: try DataDirectory(temporary.path), environment: environment)
            (source, first) = (files, try files.open(.ed25519, under: SessionPolicy()))
        }
        let keys = LiveKeys(first)
        let rotation = KeyRotation(
            source, keys: keys, every: interval, environment: environment,
            logger: Logger(label: "test") { _ in log }, readKeys: {})
        return Instance(source: source, keys: keys, rotation: rotation)
    }

    /// All at once, each with the keys that it has read before.
    private func rotate(_ instances: [Instance]) async throws {
        await withTaskGroup(of: Void.self) { group in
            for instance in instances { group.addTask { await instance.rotation.rotateIfDue() } }
        }
        for instance in instances { try await instance.read() }
    }

    @Test("of three instances that find keys due at once, one makes them, for each interval", arguments: Place.allCases)
    func once(_ place: Place) async throws {
        var instances: [Instance] = []
        for _ in 0..<3 { instances.append(try await instance(place)) }
        for period in 1...8 {
            let before = instances[0].keys.current
            time.advance(Self.interval + Span(milliseconds: -IssuerKeys.publication.milliseconds))
            for _ in 0..<3 { try await rotate(instances) }
            let published = instances[0].keys.current
            let new = try #require(published.signing.last)
            #expect(new.signsFrom == time.now + IssuerKeys.publication && new.createdAt == time.now)
            #expect(published.signingKey(at: time.now).id == before.signingKey(at: time.now).id)
            time.advance(IssuerKeys.publication)
            for _ in 0..<3 { try await rotate(instances) }
            let keys = instances[0].keys.current
            #expect(Set(keys.signing.map(\.key.id)).subtracting(before.signing.map(\.key.id)) == [new.key.id])
            #expect(Set(keys.refresh.map(\.key.id)).subtracting(before.refresh.map(\.key.id)).count == 1)
            #expect(keys.signingKey(at: time.now).id == new.key.id, "\(period)")
            #expect(keys.refreshKey(at: time.now).id == keys.refresh.last?.key.id)
            #expect(Set(instances.map(\.ids)).count == 1)
        }
        let keys = instances[0].keys.current
        // 91 days after its successor began, a key has no live session any more.
        #expect(4...5 ~= keys.signing.count && 4...5 ~= keys.refresh.count)
    }

    @Test(
        "keys are due when the newest one will have signed for the interval by the time when a new one begins",
        arguments: [
            (Span.days(29), Place.store, [0, 0]),
            (.minutes(30 * 24 * 60 - 10) + Span(milliseconds: -1), .store, [0, 0]),
            (.minutes(30 * 24 * 60 - 10), .store, [1, 1]), (.days(300), .store, [1, 1]),
            (.minutes(30 * 24 * 60 - 10) + Span(milliseconds: -1), .files, [0, 0]),
            (.minutes(30 * 24 * 60 - 10), .files, [1, 0]), (.days(30) + Span(milliseconds: -1), .files, [1, 0]),
            (.days(30), .files, [1, 1]),
        ] as [(Span, Place, [Int])])
    func due(_ age: Span, _ place: Place, _ added: [Int]) async throws {
        let instance = try await instance(place)
        time.advance(age)
        try await rotate([instance])
        let keys = instance.keys.current
        #expect([keys.signing.count - 1, keys.refresh.count - 1] == added)
        #expect(keys.signing.allSatisfy { $0.signsFrom <= time.now + IssuerKeys.publication })
    }

    @Test("a rotation by hand begins the interval anew")
    func byHand() async throws {
        let instance = try await instance()
        time.advance(.days(20))
        let now = time.now
        _ = try await instance.source.update { keys in
            try #require(keys).rotated(from: now, at: now)
                .withNewRefreshSecret(from: now, at: now, random: Environment.system.random)
        }
        time.advance(.days(29))
        try await rotate([instance])
        #expect(instance.keys.current.signing.count == 2 && instance.keys.current.refresh.count == 2)
        time.advance(.days(1))
        try await rotate([instance])
        #expect(instance.keys.current.signing.count == 3 && instance.keys.current.refresh.count == 3)
    }

    @Test("an instance whose keys are old adds none that another one has added")
    func old() async throws {
        let (one, two) = (try await instance(), try await instance())
        time.advance(Self.interval)
        try await rotate([one])
        await two.rotation.rotateIfDue()
        try await two.read()
        #expect(one.ids == two.ids && one.ids.count == 4)
    }

    @Test(
        "keys that were made while the clock was far ahead do not stop the rotation",
        arguments: [Span.days(31), .days(3000)])
    func clock(_ error: Span) async throws {
        let instance = try await instance()
        time.step(error)
        try await rotate([instance])
        time.step(Span(milliseconds: -error.milliseconds))
        let ahead = instance.keys.current.signing.count
        for _ in 0..<4 {
            time.advance(.days(15))
            try await rotate([instance])
        }
        #expect(instance.keys.current.signing.count - ahead <= 2)
        let signing = instance.keys.current.signingKey(at: time.now).id
        #expect(signing != instance.keys.current.signing[0].key.id, "a newer key signs")
    }

    @Test("a store that is away is asked again, and the error is logged once")
    func away() async throws {
        let log = CapturedLog()
        let instance = try await instance(log: log)
        time.advance(Self.interval)
        store.setDown(true)
        for _ in 0..<3 { #expect(await instance.rotation.rotateIfDue() == false) }
        #expect(log.lines.count == 1 && log.lines[0].hasPrefix("error the keys are due"))
        store.setDown(false)
        #expect(await instance.rotation.rotateIfDue())
        #expect(log.lines.count == 2 && log.lines[1].hasPrefix("notice the keys were due"))
        try await instance.read()
        #expect(instance.keys.current.signing.count == 2)
    }

    @Test(
        "the shortest interval never needs more keys than there may be",
        arguments: [Span.days(90), .days(400), .minutes(1)])
    func shortest(_ lifetime: Span) throws {
        let interval = IssuerKeys.shortestInterval(longestSession: lifetime)
        #expect(interval >= .minutes(60))
        var keys = try IssuerKeys.first(.ed25519, at: time.now, random: time.environment.random)
        keys = try keys.serving(nil, longestSession: lifetime, at: time.now)
        for _ in 0..<120 {
            time.advance(interval)
            keys = try keys.rotatedWhereDue(
                every: interval, publishesRefreshSecrets: true, at: time.now, random: time.environment.random)
        }
        // A day of grace is many of the shortest intervals.
        #expect(keys.signing.count <= IssuerKeys.maximumCount - 4)
    }
}
