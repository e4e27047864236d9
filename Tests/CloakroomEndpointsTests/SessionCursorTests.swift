import CloakroomCore
import CloakroomStores
import Testing

@testable import CloakroomEndpoints

@Suite struct SessionCursorTests {
    @Test(
        "what is not a cursor is not read as one",
        arguments: [
            "", "x", "!!!!", "MTIz", "fmlk", "eH5pZA", "MTIzfg", "MTIzfmlk=", String(repeating: "A", count: 300),
        ])
    func cursors(_ text: String) {
        #expect(SessionCursor(parsing: text) == nil)
    }

    @Test("a cursor comes back as it was")
    func cursor() {
        for milliseconds in [Int64.min, -1, 0, 1_800_000_000_000, .max] {
            let cursor = SessionCursor(createdAt: Instant(milliseconds: milliseconds), id: SessionID("a~b"))
            #expect(SessionCursor(parsing: cursor.text) == cursor)
        }
    }
}
