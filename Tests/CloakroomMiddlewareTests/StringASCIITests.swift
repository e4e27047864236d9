import CloakroomMiddleware
import Testing

@Suite struct StringASCIITests {
    @Test(
        "bytes are found at every position",
        arguments: [
            ("abc", true), ("xabc", true), ("xxabcx", true), ("aabc", true), ("ab", false), ("", false), ("ABC", false),
            ("ab\u{301}c", false), ("äabc", true), ("a-b-c", false),
        ])
    func contains(_ text: String, _ isThere: Bool) {
        #expect(text.containsASCII("abc") == isThere)
    }
}
