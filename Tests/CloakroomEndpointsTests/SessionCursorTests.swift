import CloakroomCore
import CloakroomStores
import Testing

@testable import CloakroomEndpoints

@Suite struct SessionCursorTests {
    @Test(
        "a malformed cursor is refused",
        arguments: [
            "", "x", "!!!!", "MTIz", "fmlk", "eH5pZA", "MTIzfg", "MTIzfmlk=", String(repeating: "A", count: 300),
        ])
    func cursors(_ text: String) {
        #expect(SessionCursor(parsing: text) == nil)
    }

    @Test("a cursor survives a round trip")
    func cursor() {
        for milliseconds in [Int64.min, -1, 0, 1_800_000_000_000, .max] {
            let cursor = SessionCursor(createdAt: Instant(milliseconds: milliseconds), id: SessionID("a~b"))
            #expect(SessionCursor(parsing: cursor.text) == cursor)
        }
    }
}
