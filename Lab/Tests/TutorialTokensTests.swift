import Testing

@testable import CloakroomLab

/// The tutorials' servers must fall to the attacks and not to other mistakes.
@Suite struct TutorialTokensTests {
    private let tokens = TutorialTokens()

    @Test("a token is valid for its subject and its kind until it expires")
    func good() {
        let token = tokens.token(.access, for: "a@example.com", seconds: 60)
        #expect(tokens.subject(of: token, .access) == "a@example.com")
        #expect(tokens.subject(of: token, .refresh) == nil)
        #expect(tokens.subject(of: tokens.token(.access, for: "a@example.com", seconds: -1), .access) == nil)
    }

    @Test(
        "a token that was changed, or is of another server, is invalid",
        arguments: ["", "x", "a.b", "a.b.c", "a.b.c.d"])
    func forged(_ text: String) {
        let token = tokens.token(.access, for: "a@example.com", seconds: 60)
        #expect(tokens.subject(of: text, .access) == nil)
        #expect(tokens.subject(of: token + "A", .access) == nil)
        #expect(tokens.subject(of: TutorialTokens().token(.access, for: "a@example.com", seconds: 60), .access) == nil)
    }
}

@Suite struct BankTests {
    @Test("a transfer moves money, and never more than there is")
    func transfer() {
        let bank = Bank()
        let (one, other) = (bank.open("one", password: "p"), bank.open("other", password: "q"))
        #expect(bank.transfer(400, from: one.email, to: other.email))
        #expect(!bank.transfer(601, from: one.email, to: other.email))
        #expect(!bank.transfer(-5, from: one.email, to: other.email))
        #expect(bank.account("one")?.balance == 600 && bank.account("other")?.balance == 1400)
        #expect(bank.isRight("p", for: "one") && !bank.isRight("q", for: "one") && !bank.isRight("", for: "none"))
    }
}
