import CloakroomCore
import Testing

@testable import CloakroomSessions

@Suite struct HandOverLimitTests {
    @Test("a session gets sixty codes a minute, whatever others get")
    func perMinute() throws {
        let limit = HandOverLimit()
        let (one, other) = (SessionID("one"), SessionID("other"))
        for _ in 1...HandOverLimit.perMinute { try limit.take(one, at: .seconds(100)) }
        #expect(throws: Denial.rateLimited(retryAfter: .seconds(21))) { try limit.take(one, at: .seconds(140)) }
        try limit.take(other, at: .seconds(140))
        try limit.take(one, at: .seconds(160))
    }
}
