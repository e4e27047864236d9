import Testing

@testable import CloakroomGateway

@Suite("Request targets")
struct RequestTargetTests {
    @Test(
        "policy and backend get one path",
        arguments: [
            ("/", "/", "/"), ("/a/b", "/a/b", "/a/b"), ("/a/", "/a/", "/a/"), ("/%61dmin", "/admin", "/admin"),
            ("/%7Euser/%2D", "/~user/-", "/~user/-"), ("/caf%c3%a9", "/caf%C3%A9", "/café"),
            ("/a%20b", "/a%20b", "/a b"), ("/a%3Ab", "/a%3Ab", "/a:b"), ("/a;v=1/b", "/a;v=1/b", "/a/b"),
            ("/a/b;x;y=z", "/a/b;x;y=z", "/a/b"), ("/a%3Bv/b", "/a%3Bv/b", "/a/b"),
            ("/.well-known/x", "/.well-known/x", "/.well-known/x"), ("/...", "/...", "/..."),
            ("/a..b", "/a..b", "/a..b"),
        ])
    func canonical(_ text: String, _ path: String, _ decoded: String) throws {
        let target = try RequestTarget(text)
        #expect(target.path == path)
        #expect(target.decodedPath == decoded)
    }

    @Test(
        "a path that servers resolve in different ways is refused",
        arguments: [
            "/../a", "/a/..", "/./a", "/a/.", "/%2e%2e/a", "/%2E./a", "/a/%2e", "/public/..;/admin", "/public/.;x/a",
            "/a/;x/b", "/a/;x", "/;x",
            "/public/%2e%2e;a=b/admin", "//a", "/a//b", "/a//", "/%2fa", "/a%2Fb", "/a%5cb", "/a%25b", "/a%00", "/a%0a",
            "/a%7f", "/a%zz", "/a%", "/a%4", "/a\\b", "/a#b", "/a\u{E9}", "a", "", "*", "?a", "/a b", "ftp://a/b",
            "http:/a", "/a?b#c", "/a?\u{E9}",
        ])
    func refused(_ text: String) {
        #expect(throws: RequestFault.self) { try RequestTarget(text) }
    }
}

@Suite("Routes")
struct RouteTests {
    @Test(
        "a pattern matches its paths and no other",
        arguments: [
            ("/", ["/"], ["/a", "/a/"]), ("/a", ["/a"], ["/", "/a/", "/ab", "/a/b"]),
            ("/a/*", ["/a", "/a/", "/a/b", "/a/b/c"], ["/", "/ab", "/b/a"]), ("/*", ["/", "/a", "/a/b/"], []),
            ("/u/*/photo", ["/u/1/photo"], ["/u/photo", "/u/1/2/photo", "/u//photo", "/u/1/photo/x"]),
            ("/u/*/x/*", ["/u/1/x", "/u/1/x/y"], ["/u/1", "/u/1/xy"]),
            ("/caf%C3%A9/*", ["/café", "/café/x"], ["/caf%C3%A9", "/cafe"]), ("/a%20b", ["/a b"], ["/a%20b"]),
        ])
    func matches(_ text: String, _ good: [String], _ bad: [String]) throws {
        let pattern = try #require(PathPattern(parsing: text))
        for path in good { #expect(pattern.matches(path), "\(path)") }
        for path in bad { #expect(!pattern.matches(path), "\(path)") }
    }

    @Test(
        "a text that is no pattern is refused",
        arguments: ["", "a", "/a*", "/*a/b", "/a?b", "/a//b", "/../a", "/%61", "/a;b"])
    func noPattern(_ text: String) {
        #expect(PathPattern(parsing: text) == nil)
    }

    @Test(
        "a rule behind one that covers it stops the start",
        arguments: [
            (["/*", "/admin/*"], true), (["/admin/*", "/*"], false), (["/a/*", "/a"], true), (["/a", "/a/*"], false),
            (["/u/*/p", "/u/1/p"], true), (["/u/1/p", "/u/*/p"], false), (["/a", "/a"], true), (["/a", "/b"], false),
            (["/auth/*"], true), (["/auth/x"], true), (["/healthz"], true), (["/healthz/*"], false),
            (["/authors/*"], false),
        ])
    func unreachable(_ patterns: [String], _ isUnreachable: Bool) throws {
        let routes = try patterns.map { try route($0) }
        #expect((try? RouteTable(routes)) == nil ? isUnreachable : !isUnreachable)
    }

    @Test("methods count for what a rule covers: all of those before together, and GET covers HEAD")
    func methods() throws {
        let one = try route("/a", methods: ["GET"])
        let other = try route("/*", methods: ["POST"])
        #expect((try? RouteTable([one, other, try route("/a", methods: ["HEAD", "POST"])])) == nil)
        let table = try RouteTable([one, other, try route("/a")])
        #expect(table.route(method: "HEAD", path: "/a") === one)
        #expect(table.route(method: "POST", path: "/a") === other)
        #expect(table.route(method: "PUT", path: "/a")?.methods == nil)
        #expect(table.route(method: "PUT", path: "/b") == nil)
    }

    @Test("a rewrite replaces the beginning of the path")
    func rewrite() {
        let rewrite = PathRewrite(prefix: "/api", replacement: "/v2")
        #expect(rewrite.apply(to: "/api/x") == "/v2/x")
        #expect(PathRewrite(prefix: "/api", replacement: "").apply(to: "/api") == "/")
        #expect(PathRewrite(prefix: "/api", replacement: "").apply(to: "/api/x") == "/x")
        #expect(PathRewrite(prefix: "/b!c", replacement: "/v2").apply(to: "/b%21c/x/") == "/v2/x/")
        #expect(PathRewrite(prefix: "/a/b", replacement: "/v2").apply(to: "/a/b") == "/v2")
        #expect(PathRewrite(prefix: "/a/b", replacement: "/v2").apply(to: "/a/b/") == "/v2/")
    }

    private func route(_ text: String, methods: Set<String>? = nil) throws -> Route {
        let address = try #require(UpstreamAddress(parsing: "http://127.0.0.1:3000"))
        return Route(
            try #require(PathPattern(parsing: text)), methods: methods, access: .open,
            upstream: UpstreamGroup([address]))
    }
}
