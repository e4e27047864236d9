import CloakroomCore
import CloakroomTokens
import HTTPTypes
import Testing

@testable import CloakroomMiddleware

@Suite struct XSRFCookieTests {
    private let world: AuthorizerWorld
    private let xsrf: XSRFCookie

    init() throws {
        let world = try AuthorizerWorld()
        self.world = world
        xsrf = XSRFCookie(of: world.cookie, keys: world.keys, now: { world.now })
    }

    enum Cookie: CaseIterable {
        case none, good, staleAccess, broken, two
    }

    enum Header: CaseIterable {
        case none, right, ofAnotherSession, rubbish, empty, twice
    }

    private func cookies(_ cookie: Cookie) throws -> [String] {
        let good = try world.cookieValue()
        let refresh = good.split(separator: "~", omittingEmptySubsequences: false)[1]
        return switch cookie {
        case .none: []
        case .good: [good]
        case .staleAccess: ["x~\(refresh)"]
        case .broken: [String(good.dropLast(5))]
        case .two: [good, good]
        }
    }

    private func headers(_ header: Header) throws -> [String] {
        func token(_ id: String) throws -> String {
            let set = xsrf.setting(for: SessionID(id), [:])
            let value = set.dropFirst("XSRF-TOKEN=".count).prefix { $0 != ";" }
            return String(value)
        }
        return switch header {
        case .none: []
        case .right: [try token("session")]
        case .ofAnotherSession: [try token("other")]
        case .rubbish: ["x"]
        case .empty: [""]
        case .twice: [try token("session"), try token("session")]
        }
    }

    /// Without a session, or with an unreadable cookie, a token proves nothing and must not make a login fail.
    private func expected(_ cookie: Cookie, _ header: Header) -> OriginPolicy.XSRFEvidence {
        switch (cookie, header) {
        case (_, .none), (.none, _), (.broken, _): .absent
        case (.good, .right), (.staleAccess, .right): .right
        default: .wrong
        }
    }

    @Test("each cookie with each header: whether the XSRF token is valid", arguments: Cookie.allCases, Header.allCases)
    func evidence(_ cookie: Cookie, _ header: Header) throws {
        let (cookies, values) = (try cookies(cookie), try headers(header))
        let found = xsrf.evidence(values: values, cookies: cookies.map { Array($0.utf8) })
        #expect(found == expected(cookie, header))
        var fields = HTTPFields()
        for value in cookies {
            fields.append(HTTPField(name: .cookie, value: "\(SessionCookie.defaultName)=\(value)"))
        }
        for value in values { fields.append(HTTPField(name: XSRFCookie.header, value: value)) }
        #expect(xsrf.evidence(in: fields) == found, "read from a request's headers too")
    }

    @Test("a login from our own origin without a cookie is allowed, with any token that an old page sends")
    func login() throws {
        let own = try #require(WebOrigin(parsing: "https://app.example"))
        let policy = OriginPolicy(ownOrigin: own)
        for header in Header.allCases {
            var request = OriginPolicy.Request(
                method: "POST", host: "app.example", origin: ["https://app.example"], carriesOurCookie: false)
            request.xsrf = xsrf.evidence(values: try headers(header), cookies: [])
            #expect(throws: Never.self) { try policy.check(request) }
        }
    }
}
