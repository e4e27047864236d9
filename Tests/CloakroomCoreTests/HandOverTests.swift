import Testing

@testable import CloakroomCore

@Suite struct HandOverTests {
    private static func origin(_ host: String) throws -> WebOrigin {
        try #require(WebOrigin(parsing: "https://\(host)"))
    }

    @Test(
        "a code is redeemed at its host, with the flow cookie of its browser",
        arguments: [
            ("shop.example.com", [7, 7], nil), ("app.example.com", [7, 7], .otherHost),
            ("shop.example.com:8443", [7, 7], .otherHost), ("shop.example.com", [7, 8], .otherBrowser),
            ("shop.example.com", [7], .otherBrowser), ("shop.example.com", [], .otherBrowser),
            ("shop.example.com", nil, .otherBrowser), ("app.example.com", nil, .otherHost),
        ] as [(String, [UInt8]?, HandOver.Refusal?)])
    func redeemed(_ host: String, _ flow: [UInt8]?, _ refusal: HandOver.Refusal?) throws {
        let handOver = HandOver(
            parent: SessionID("p"), host: try Self.origin("shop.example.com"), flow: [7, 7], returnTo: "/",
            evidence: Evidence(.password, at: .example))
        #expect(handOver.refusal(at: try Self.origin(host), flow: flow) == refusal)
    }

    @Test(
        "a session of the host makes a hand-over needless if it has the same parent and is as fresh and as strong",
        arguments: [
            ("p", 0, .singleFactor, true), ("p", 1, .singleFactor, true), ("p", -1, .singleFactor, false),
            ("q", 0, .singleFactor, false), (nil, 0, .singleFactor, false), ("p", 0, .multiFactor, false),
        ] as [(String?, Int64, AuthenticationLevel, Bool)])
    func satisfied(_ parent: String?, _ age: Int64, _ level: AuthenticationLevel, _ isSatisfied: Bool) throws {
        let handOver = HandOver(
            parent: SessionID("p"), host: try Self.origin("shop.example.com"), flow: [], returnTo: "/",
            evidence: Evidence(asserting: ["pwd"], level: level, at: .example))
        var session = Session.example(at: .example + .seconds(age))
        session.details.handedOver = parent.map { HandedOver(parent: SessionID($0), host: "shop.example.com") }
        #expect(handOver.isSatisfied(by: session) == isSatisfied)
    }

    @Test("an access token from before a step-up stands for the evidence from before it")
    func copies() {
        let later = Instant.example + .seconds(90)
        var session = Session.example()
        let before = session.authentication.inWholeSeconds
        #expect(session.factors(behind: before) == Evidence(.password, at: .example))
        #expect(session.stepUp(0, at: later) == .rotated)
        let after = session.authentication.inWholeSeconds
        #expect(session.factors(behind: after) == Evidence(.password, at: later))
        #expect(session.factors(behind: before) == Evidence(.password, at: .example))
        session.details.earlierEvidence = nil
        #expect(session.factors(behind: before) == nil)
    }

    @Test("a session that is handed over ends no later than its parent, and no later than the policy says")
    func ends() {
        let policy = SessionPolicy()
        for (end, expected) in [
            (nil, Instant.example + policy.absoluteLifetime), (.example + .minutes(60), .example + .minutes(60)),
            (.example + .days(399), .example + policy.absoluteLifetime),
        ] as [(Instant?, Instant)] {
            let login = Session.example()
            let session = Session(
                id: login.id, subject: login.subject, secret: login.secret, refreshKey: "k", details: login.details,
                at: .example, under: policy, endingBy: end)
            #expect(session.expiresAt == expected)
        }
    }
}
