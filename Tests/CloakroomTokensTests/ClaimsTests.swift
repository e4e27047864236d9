import CloakroomCore
import Foundation
import Testing

@testable import CloakroomTokens

/// Claims of an app: their limits, their spelling in tokens and headers, and the marks that make tokens stale.
@Suite struct ClaimsTests {
    private static let editor = Claims(["roles": .list([.string("editor"), .string("é\u{2028}😀\"\\")])])

    private func fault(_ object: JSONObject) -> Claims.Fault? {
        do throws(Claims.Fault) {
            _ = try Claims(object)
            return nil
        } catch { return error }
    }

    private static func x(_ count: Int) -> JSONValue {
        .string(String(repeating: "x", count: count))
    }

    @Test(
        "every limit is exact, and the fault names the claim",
        arguments: [
            (["a": x(128)], nil), (["a": x(129)], "a"), (["a": .array(Array(repeating: 1, count: 16))], nil),
            (["a": .array(Array(repeating: 1, count: 17))], "a"), (["a": [x(129)]], "a"),
            (["b": 1, "a": ["c": 1]], "a"),
            (["a": [["c"]]], "a"), (["a": [.null]], "a"), (["a": .null], nil),
            (["a": [x(128), x(128), x(128)], "b": x(105)], nil), (["a": [x(128), x(128), x(128)], "b": x(106)], ""),
        ] as [(JSONObject, String?)])
    func limits(_ row: (claims: JSONObject, name: String?)) {
        let fault = fault(row.claims)
        #expect((fault == nil) == (row.name == nil))
        #expect(fault?.name ?? "" == row.name ?? "")
    }

    @Test("the text for a header is ASCII and means the same")
    func ascii() throws {
        let text = Self.editor.asciiText
        #expect(text.utf8.allSatisfy { 0x20...0x7E ~= $0 })
        #expect(try JSONReader.read(Array(text.utf8)) == .object(Self.editor.json))
        #expect(Claims.empty.asciiText == "{}")
    }

    @Test("the same claims are the same bytes, in any order of the dictionary")
    func order() {
        let names = (0..<20).map { "claim\($0)" }
        let one = Claims(Dictionary(uniqueKeysWithValues: names.map { ($0, .integer(1)) }))
        let other = Claims(Dictionary(uniqueKeysWithValues: names.reversed().map { ($0, .integer(1)) }))
        #expect(one.asciiText == other.asciiText)
    }

    @Test("a stored document gives the same claims back")
    func document() throws {
        let claims = Claims([
            "a": .string("x"), "b": .integer(-3), "c": .bool(true), "d": .number(1.5),
            "e": .list([.bool(false), .string("")]),
        ])
        #expect(try JSONDecoder().decode(Claims.self, from: JSONEncoder().encode(claims)) == claims)
        #expect(try JSONDecoder().decode(Claims.self, from: Data("{}".utf8)) == .empty)
    }

    @Test("a token carries the claims whose names the issuer allows, and its verifier reads them")
    func token() throws {
        let world = try TokenWorld(claimNames: ["roles"])
        var session = Session.example()
        session.claims = Claims(["roles": .list([.string("editor")]), "tenant": .string("acme")])
        let token = try world.access(for: session).token
        let access = try world.verifier.verify(bearer: token.bytes, at: TokenWorld.now)
        #expect(access.claims == Claims(["roles": .list([.string("editor")])]))
        #expect(access.claimsText == #"{"roles":["editor"]}"#)
    }

    @Test("no claim of an app takes the place of one of ours", arguments: Claims.reservedNames)
    func reserved(_ name: String) throws {
        #expect(!Claims.isName(name))
        let world = try TokenWorld()
        var session = Session.example()
        session.claims = Claims([name: .string("other")])
        #expect(try world.access(for: session).claims == .empty)
    }

    @Test(
        "a demand is met by the value, or by a list that has it",
        arguments: [
            ("roles", "editor", true), ("roles", "edit", false), ("roles", "e\u{301}", false), ("level", "3", true),
            ("level", "03", false), ("admin", "true", true), ("admin", "1", false), ("missing", "x", false),
        ])
    func demand(_ row: (name: String, value: String, isMet: Bool)) {
        let claims = Claims([
            "roles": .list([.string("editor"), .string("\u{E9}")]), "level": .integer(3), "admin": .bool(true),
        ])
        #expect(claims.has(row.name, row.value) == row.isMet)
    }

    @Test("tokens that were issued at the mark or before are stale, and only those of its subject")
    func marks() {
        let view = RevocationView(accessTokenLifetime: .minutes(5))
        let (uptime, now) = (TokenWorld.uptime, TokenWorld.now)
        func standing(_ subject: String, _ issuedAt: Instant) -> AccessQuestion.Standing {
            view.standing(
                of: .init(
                    session: SessionID("s"), subject: Subject(subject), issuedAt: issuedAt,
                    authentication: Evidence(.password, at: now).authentication, remaining: .minutes(5)),
                at: uptime, now)
        }
        view.confirm(at: uptime, now)
        #expect(standing("a", now) == .good)
        view.update(stale: [StaleMark(subject: Subject("a"), time: now)], at: uptime)
        view.update(stale: [StaleMark(subject: Subject("a"), time: now - .minutes(1))], at: uptime)
        #expect(standing("a", now) == .stale && standing("a", now - .minutes(4)) == .stale)
        #expect(standing("a", now + Span(milliseconds: 1)) == .good && standing("b", now) == .good)
        view.insert(SessionID("s"), at: uptime)
        #expect(standing("a", now) == .revoked)
    }

    @Test("a mark is forgotten when every token that it concerns has expired, and not earlier")
    func forgetting() {
        let view = RevocationView(accessTokenLifetime: .minutes(5))
        let (uptime, now) = (TokenWorld.uptime, TokenWorld.now)
        view.update(stale: [StaleMark(subject: Subject("a"), time: now)], at: uptime)
        for (later, expected) in [(300, AccessQuestion.Standing.stale), (3600, .good)] {
            view.confirm(at: uptime + .seconds(later), now + .seconds(Int64(later)))
            let identity = AccessQuestion.Identity(
                session: SessionID("s"), subject: Subject("a"), issuedAt: now,
                authentication: Evidence(.password, at: now).authentication, remaining: .zero)
            let standing = view.standing(of: identity, at: uptime + .seconds(later), now + .seconds(Int64(later)))
            #expect(standing == expected, "after \(later) s")
        }
    }
}
