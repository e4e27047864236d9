import CloakroomMiddleware

/// Removes our own cookies from what backend and browser tell each other: the backend needs no refresh token, and must
/// not replace ours.
struct OwnCookies: Sendable {
    /// The names that the session cookie may have.
    private let sessions: [[UInt8]]
    /// Those of the flow cookie.
    private let flows: [[UInt8]]

    /// - Parameter hasFlows: whether there is a flow cookie as well, for the hand-over between several hosts.
    init(_ cookie: SessionCookie, hasFlows: Bool = false) {
        sessions = cookie.names.map { Array($0.utf8) }
        flows = hasFlows ? FlowCookie(of: cookie).names.map { Array($0.utf8) } : []
    }

    /// The value of a `Cookie` header without our cookies; empty when there is no other, nil when there is nothing to cut.
    /// - Parameter keepsSession: whether the session cookie stays. The flow cookie never does.
    func cutting(_ header: UnsafeRawBufferPointer, keepsSession: Bool = false) -> [UInt8]? {
        if keepsSession, flows.isEmpty { return nil }
        var hasOurs = false
        var rest: [UInt8] = []
        var start = 0
        while start < header.count {
            let end = header[start...].firstIndex(of: UInt8(ascii: ";")) ?? header.count
            let pair = UnsafeRawBufferPointer(rebasing: header[start..<end]).trimmed
            start = end + 1
            if Self.has(pair, flows) || !keepsSession && Self.has(pair, sessions) {
                hasOurs = true
            } else if !pair.isEmpty {
                if !rest.isEmpty { rest.append(contentsOf: "; ".utf8) }
                rest.append(contentsOf: pair)
            }
        }
        return hasOurs ? rest : nil
    }

    /// Whether a `Set-Cookie` header would set our cookie. Browsers store a cookie without a name as well, and send its
    /// value alone: `=NAME=VALUE` comes back as `NAME=VALUE`.
    func areSet(by header: UnsafeRawBufferPointer) -> Bool {
        let pair = Self.pair(of: header)
        if Self.has(pair, sessions) || Self.has(pair, flows) { return true }
        guard pair.first == UInt8(ascii: "=") else { return false }
        let value = UnsafeRawBufferPointer(rebasing: pair.dropFirst()).trimmed
        return Self.has(value, sessions) || Self.has(value, flows)
    }

    /// Whether a `Set-Cookie` header would set the session cookie, by its name.
    func isSessionSet(by header: UnsafeRawBufferPointer) -> Bool {
        Self.has(Self.pair(of: header), sessions)
    }

    private static func pair(of header: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: header.prefix { $0 != UInt8(ascii: ";") }).trimmed
    }

    /// - Parameter pair: without white space around it.
    private static func has(_ pair: UnsafeRawBufferPointer, _ names: [[UInt8]]) -> Bool {
        names.contains { name in
            guard pair.starts(with: name) else { return false }
            let behind = UnsafeRawBufferPointer(rebasing: pair.dropFirst(name.count)).trimmed
            return behind.first == UInt8(ascii: "=")
        }
    }
}
