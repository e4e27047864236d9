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
            }, secure: { _, _ in }, budget: UpstreamBudget(maximum: 5))
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
            budget: UpstreamBudget(maximum: 2))
        for _ in 1...3 {
            #expect(throws: Refused.self) { try open(connector) }
        }
    }

    private func open(_ connector: UpstreamConnector) throws {
        try connector.connect(.own, on: loop).assumeIsolated().map { _ in }.nonisolated().wait()
    }
}
