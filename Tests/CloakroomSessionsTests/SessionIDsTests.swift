import CloakroomCore
import CloakroomTesting
import CloakroomTokens
import Testing

@testable import CloakroomSessions

@Suite struct SessionIDsTests {
    private let random = TestEnvironment().environment.random

    private func entries(_ ids: SessionIDs, _ count: Int) throws -> [StatusListEntry] {
        try (0..<count).map { _ in try #require(StatusListEntry(ids.next(random(SessionIDs.randomSize)))) }
    }

    @Test("no two sessions of a process have the same entry, and after 65,536 a new list begins")
    func distinct() throws {
        let entries = try entries(SessionIDs(), StatusList.entries + 100)
        #expect(Set(entries).count == entries.count)
        #expect(Set(entries.prefix(StatusList.entries).map(\.list)).count == 1)
        #expect(Set(entries.suffix(100).map(\.list)).count == 1)
        #expect(Set(entries.map(\.list)).count == 2)
    }

    @Test("two processes use different lists")
    func processes() throws {
        #expect(try entries(SessionIDs(), 1)[0].list != entries(SessionIDs(), 1)[0].list)
    }

    @Test("an index says nothing about the number of sessions before it")
    func order() throws {
        let indexes = try entries(SessionIDs(), 200).map(\.index)
        let rises = zip(indexes, indexes.dropFirst()).count { $0 < $1 }
        #expect(60...140 ~= rises)
        #expect(indexes.contains { $0 < 8192 } && indexes.contains { $0 > 57_344 })
    }

    @Test("no session id can be parsed as an option of a command")
    func letters() {
        let ids = SessionIDs()
        for byte in UInt8.min...UInt8.max {
            let id = ids.next([byte] + [UInt8](repeating: 0xFB, count: SessionIDs.randomSize - 1)).rawValue
            #expect(id.first?.isLetter == true && id.utf8.count == 24)
        }
    }

    @Test("ids that are made at the same time have entries of their own")
    func threads() async {
        let ids = SessionIDs()
        let made = await withTaskGroup(of: [SessionID].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let random = Environment.system.random
                    return (0..<2000).map { _ in ids.next(random(SessionIDs.randomSize)) }
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(made.compactMap { StatusListEntry($0) }).count == 16_000)
    }
}
