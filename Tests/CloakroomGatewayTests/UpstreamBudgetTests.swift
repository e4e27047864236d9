import CloakroomMiddleware
import NIOCore
import NIOEmbedded
import Testing

@testable import CloakroomGateway

@Suite("The budget of descriptors behind the gateway")
struct UpstreamBudgetTests {
    private let loop = EmbeddedEventLoop()

    @Test("a connection counts until it is closed, and one that would exceed the budget is not opened")
    func connections() throws {
        let opened = NIOLoopBoundBox<[EmbeddedChannel]>([], eventLoop: loop)
        let connector = UpstreamConnector(
            own: { loop, initialize in
                let channel = EmbeddedChannel()
                opened.value.append(channel)
                return loop.makeSucceededFuture(channel)
            }, secure: { _, _ in }, budget: UpstreamBudget(maximum: 20))
        for _ in 1...2 { try open(connector) }
        #expect(throws: UpstreamBudget.Exhausted.self) { try open(connector) }
        #expect(opened.value.count == 2)
        _ = try opened.value[0].finish()
        try open(connector)
        #expect(opened.value.count == 3)
    }

    @Test("a connection that could not be opened does not count")
    func failures() throws {
        struct Refused: Error {}
        let connector = UpstreamConnector(
            own: { loop, _ in loop.makeFailedFuture(Refused()) }, secure: { _, _ in },
            budget: UpstreamBudget(maximum: 8))
        for _ in 1...3 {
            #expect(throws: Refused.self) { try open(connector) }
        }
    }

    @Test("backends, our own endpoints and health probes have shares of their own")
    func shares() throws {
        let budget = UpstreamBudget(maximum: 8)
        let backend = UpstreamEndpoint.backend(try #require(UpstreamAddress(parsing: "http://127.0.0.1:1")))
        for _ in 1...4 { try budget.take(backend) }
        #expect(throws: UpstreamBudget.Exhausted.self) { try budget.take(backend) }
        try budget.take(.own)
        #expect(throws: UpstreamBudget.Exhausted.self) { try budget.take(.own) }
        try budget.take(.probe)
        #expect(throws: UpstreamBudget.Exhausted.self) { try budget.take(.probe) }
        budget.giveBack(backend)
        try budget.take(backend)
    }

    /// With 32 connections of each kind.
    static let endpoints: [(UpstreamEndpoint, maximum: Int)] = [
        (UpstreamAddress(parsing: "http://127.0.0.1:1").map { .backend($0) } ?? .own, 45), (.own, 256), (.probe, 2048),
    ]

    @Test("while half of the connections of a kind are in use, one network has at most a quarter", arguments: endpoints)
    func networks(_ endpoint: UpstreamEndpoint, _ maximum: Int) throws {
        let budget = UpstreamBudget(maximum: maximum)
        var places: [UpstreamBudget.Place] = []
        func admits(_ address: String) -> Bool {
            let place = budget.place(for: ClientNetwork.all(of: address), at: endpoint)
            if let place { places.append(place) }
            return place != nil
        }
        for number in 1...10 { #expect(admits("2001:db8:1:1::\(number)"), "nothing is crowded") }
        for _ in 1...17 { try budget.take(endpoint) }
        #expect(!admits("2001:db8:1:1::11"))
        for address in ["192.0.2.1", "2001:db8:2:2::1"] {
            for _ in 1...8 { #expect(admits(address)) }
            #expect(!admits(address))
        }
        places.removeFirst(4)
        #expect(admits("2001:db8:1:1::12"))
    }

    @Test("all networks of a provider's customer together have at most a half", arguments: ["2001:db8:1:", "192.0.2."])
    func customers(_ prefix: String) throws {
        let budget = UpstreamBudget(maximum: 256)
        for _ in 1...17 { try budget.take(.own) }
        func place(_ number: Int, _ prefix: String) -> UpstreamBudget.Place? {
            let address = prefix.contains(":") ? "\(prefix)\(number)::1" : "\(prefix)\(number)"
            return budget.place(for: ClientNetwork.all(of: address), at: .own)
        }
        let places = (1...17).map { place($0, prefix) }
        #expect(places.compactMap { $0 }.count == 16)
        #expect(place(1, prefix.contains(":") ? "2001:db8:2:" : "192.0.3.") != nil)
    }

    private func open(_ connector: UpstreamConnector) throws {
        try connector.connect(.own, on: loop).assumeIsolated().map { _ in }.nonisolated().wait()
    }
}
