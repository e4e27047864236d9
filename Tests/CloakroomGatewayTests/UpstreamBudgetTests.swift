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

    @Test("connections to backends leave those to our own endpoints their quarter")
    func ownShare() throws {
        let budget = UpstreamBudget(maximum: 8)
        let backend = UpstreamEndpoint.backend(try #require(UpstreamAddress(parsing: "http://127.0.0.1:1")))
        for _ in 1...6 { try budget.take(backend) }
        #expect(throws: UpstreamBudget.Exhausted.self) { try budget.take(backend) }
        try budget.take(.own)
        #expect(throws: UpstreamBudget.Exhausted.self) { try budget.take(.own) }
        budget.giveBack(backend)
        try budget.take(backend)
    }

    @Test("while more than half of the connections are in use, one client has at most a quarter of them")
    func clients() throws {
        let budget = UpstreamBudget(maximum: 16)
        let backend = UpstreamEndpoint.backend(try #require(UpstreamAddress(parsing: "http://127.0.0.1:1")))
        var places = (1...6).map { _ in budget.place(for: "192.0.2.1") }
        #expect(!places.contains { $0 == nil }, "nothing is crowded")
        for _ in 1...7 { try budget.take(backend) }
        #expect(budget.place(for: "192.0.2.1") == nil)
        places += (1...3).map { _ in budget.place(for: "192.0.2.2") }
        #expect(!places.contains { $0 == nil })
        #expect(budget.place(for: "192.0.2.2") == nil)
        places.removeFirst(4)
        #expect(budget.place(for: "192.0.2.1") != nil)
    }

    private func open(_ connector: UpstreamConnector) throws {
        try connector.connect(.own, on: loop).assumeIsolated().map { _ in }.nonisolated().wait()
    }
}
