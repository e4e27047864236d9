import CloakroomCore
import Testing

@testable import CloakroomEndpoints

@Suite struct ForwardedRequestTests {
    private func read(_ headers: [(String, String)]) throws -> ForwardedRequest {
        try ForwardedRequest(DecidingHeaders(headers.map { (name: $0.0, value: $0.1) }))
    }

    private static let told = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/a")]

    @Test("the original request is read from the headers of either kind of proxy")
    func reads() throws {
        let traefik = try read([
            ("X-Forwarded-Method", "POST"), ("X-Forwarded-Uri", "/a?b"), ("X-Forwarded-Host", "h"),
        ])
        #expect(traefik.method == "POST" && traefik.target == "/a?b" && traefik.host == "h" && traefik.path == "/a")
        let nginx = try read([("X-Original-Method", "GET"), ("X-Original-URI", "/a")])
        #expect(nginx.method == "GET" && nginx.target == "/a" && nginx.host == nil)
        let both = try read(Self.told + [("X-Original-URI", "/a"), ("X-Original-Method", "GET")])
        #expect(both.target == "/a", "two headers that agree")
    }

    @Test(
        "W4: the scheme is compared without case, and ws and wss count as http and https",
        arguments: ["http", "https", "ws", "wss", "HTTPS", "Wss", "HTTP"])
    func schemes(_ scheme: String) throws {
        #expect(try read(Self.told + [("X-Forwarded-Proto", scheme)]).target == "/a")
    }

    @Test(
        "W5: any target that a proxy accepts is accepted",
        arguments: [
            "/%", "/%zz", "/a\\b", "/?q=\\", "/\u{E4}\u{1F600}", "//evil.example", "*", "/a b", "/a#b", "a", "/\u{1}",
            "http://evil.example/", "/" + String(repeating: "a", count: 16 * 1024 - 1),
        ])
    func targets(_ target: String) throws {
        #expect(try read([("X-Forwarded-Method", "GET"), ("X-Original-URI", target)]).target == target)
    }

    /// Headers, and the names of the headers in the denial.
    static let refusals: [(headers: [(String, String)], names: [String])] = [
        ([], ["X-Forwarded-Method", "X-Forwarded-Uri"]),
        ([("X-Forwarded-Uri", "/")], ["X-Forwarded-Method"]), ([("X-Original-URI", "/")], ["X-Forwarded-Method"]),
        ([("X-Forwarded-Method", "GET")], ["X-Forwarded-Uri"]), ([("X-Original-Method", "GET")], ["X-Forwarded-Uri"]),
        (told + [("X-Forwarded-Host", "a"), ("X-Forwarded-Host", "b")], ["X-Forwarded-Host"]),
        (told + [("X-Forwarded-Proto", "ftp")], ["X-Forwarded-Proto"]),
        (told + [("X-Forwarded-Proto", "")], ["X-Forwarded-Proto"]),
        (told + [("X-Forwarded-Proto", "http"), ("X-Forwarded-Proto", "https")], ["X-Forwarded-Proto"]),
        (told + [("X-Original-Method", "POST")], ["X-Forwarded-Method"]),
        (told + [("X-Forwarded-Method", "POST")], ["X-Forwarded-Method"]),
        (told + [("X-Original-URI", "/b")], ["X-Forwarded-Uri"]),
        (told + [("X-Forwarded-Uri", "/b")], ["X-Forwarded-Uri"]),
        ([("X-Forwarded-Method", "get"), ("X-Forwarded-Uri", "/")], ["X-Forwarded-Method"]),
        ([("X-Forwarded-Method", ""), ("X-Forwarded-Uri", "/")], ["X-Forwarded-Method"]),
        ([("X-Forwarded-Method", "G T"), ("X-Forwarded-Uri", "/")], ["X-Forwarded-Method"]),
        ([("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "")], ["X-Forwarded-Uri"]),
        (
            [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/" + String(repeating: "a", count: 16 * 1024))],
            ["X-Forwarded-Uri"]
        ),
    ]

    @Test(
        "A3: a header that is missing or contradicts another is refused by name",
        arguments: refusals)
    func refuses(_ row: (headers: [(String, String)], names: [String])) {
        do {
            _ = try read(row.headers)
            Issue.record("\(row.headers) was read")
        } catch {
            guard case .invalidRequest(let fields)? = error as? Denial else { return #expect(Bool(false)) }
            #expect(fields.keys.sorted() == row.names.sorted())
        }
    }

    @Test("`Forwarded` and other spellings of the headers are ignored")
    func spellings() {
        for name in ["X_Forwarded_Method", "X-Forwarded-Method ", "Forwarded-Method", "X-Http-Method-Override"] {
            #expect(throws: Denial.self) { try read([(name, "GET"), ("X-Forwarded-Uri", "/")]) }
        }
    }
}
