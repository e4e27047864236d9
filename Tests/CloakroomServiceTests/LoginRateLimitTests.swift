import CloakroomCore
import Testing

@testable import CloakroomService

@Suite struct LoginRateLimitTests {
    private let start = Instant(milliseconds: 1_000_000_000)

    private func account(_ number: Int) throws -> LoginRateLimit.Account {
        .email(try #require(EmailAddress(parsing: "user\(number)@example.com")))
    }

    @Test("tries are used up, come back with time, and can be given back")
    func allowance() throws {
        let limit = LoginRateLimit(perMinute: 2)
        let one = try account(1)
        try limit.take(one, at: start)
        try limit.take(one, at: start)
        #expect(throws: Denial.rateLimited(retryAfter: .seconds(30))) { try limit.take(one, at: start) }
        limit.giveBack(one)
        try limit.take(one, at: start)
        #expect(throws: Denial.self) { try limit.take(one, at: start + .seconds(29)) }
        try limit.take(one, at: start + .seconds(30))
    }

    @Test("when the table is full, those go first who have said nothing for a minute")
    func old() throws {
        let limit = LoginRateLimit(perMinute: 1, capacity: 20)
        for number in 0..<10 { try limit.take(account(number), at: start) }
        let later = start + .minutes(1)
        for number in 10..<20 { try limit.take(account(number), at: later) }
        try limit.take(account(20), at: later)
        #expect(throws: Denial.self) { try limit.take(account(19), at: later) }
    }

    @Test("a flood within a minute makes it forget rather than grow", arguments: [1, 20, 100])
    func flood(_ capacity: Int) throws {
        let limit = LoginRateLimit(perMinute: 1, capacity: capacity)
        for number in 0..<capacity {
            try limit.take(account(number), at: start)
            guard number < capacity - 1 else { break }
            #expect(throws: Denial.self) { try limit.take(account(number), at: start) }
        }
        try limit.take(account(capacity - 1), at: start)
    }

    @Test("just short of full it forgets as well: it is not looked through with every try")
    func nearlyFull() throws {
        let limit = LoginRateLimit(perMinute: 1, capacity: 20)
        try limit.take(account(0), at: start)
        let later = start + .minutes(1)
        for number in 1..<20 { try limit.take(account(number), at: later) }
        try limit.take(account(1), at: later)
    }
}
