import HTTPTypes
import Testing

@testable import CloakroomMiddleware

@Suite struct CookieHeaderTests {
    private func values(_ headers: String...) -> [String] {
        var fields = HTTPFields()
        for header in headers { fields.append(HTTPField(name: .cookie, value: header)) }
        return CookieHeader.values(named: SessionCookie.defaultName, in: fields).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    @Test(
        "our cookie is found by its exact name",
        arguments: [
            "__Host-Http-session=v", "a=b; __Host-Http-session=v", "__Host-Http-session=v; a=b",
            "a=b;__Host-Http-session=v;c=d", " \t__Host-Http-session=v \t", "a=b; ; __Host-Http-session=v",
            "$Version=1; __Host-Http-session=v; $Path=/",
        ])
    func found(_ header: String) {
        #expect(values(header) == ["v"])
    }

    @Test(
        "a cookie whose name only resembles ours is not ours",
        arguments: [
            "\u{2000}__Host-Http-session=v", "\u{A0}__Host-Http-session=v", "\u{85}__Host-Http-session=v",
            "\u{1680}__Host-Http-session=v", "\u{2028}__Host-Http-session=v", "\u{3000}__Host-Http-session=v",
            "\u{FEFF}__Host-Http-session=v", "__host-http-session=v", "__Host-Http-session", "__Host-Http-session =v",
            "=__Host-Http-session=v", "\"__Host-Http-session\"=v", "_[Host-Http-session=v", "%5F_Host-Http-session=v",
        ])
    func notFound(_ header: String) {
        #expect(values(header) == [])
    }

    @Test("quotes have no meaning: a cookie inside the quotes of another is not found, and quotes are kept")
    func quotes() {
        #expect(values("p=\"a; __Host-Http-session=v; q=b\"") == ["v"])
        #expect(values("__Host-Http-session=\"v\"") == ["\"v\""])
    }

    @Test("a duplicate name gives both values, over several headers too")
    func twice() {
        #expect(values("__Host-Http-session=a; __Host-Http-session=b") == ["a", "b"])
        #expect(values("__Host-Http-session=a", "__Host-Http-session=b") == ["a", "b"])
    }

    @Test("a value may be empty and may hold equals signs")
    func oddValues() {
        #expect(values("__Host-Http-session=") == [""])
        #expect(values("__Host-Http-session=a=b") == ["a=b"])
    }
}
