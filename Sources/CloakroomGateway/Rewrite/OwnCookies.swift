import CloakroomMiddleware

/// Removes our own cookies from what backend and browser tell each other: the backend needs no refresh token, and must
/// not replace ours.
struct OwnCookies: Sendable {
    /// The names that the cookies may have.
    private let names: [[UInt8]]

    /// - Parameter hasFlows: whether there is a flow cookie as well, for the hand-over between several hosts.
    init(_ cookie: SessionCookie, hasFlows: Bool = false) {
        let names = cookie.names + (hasFlows ? FlowCookie(of: cookie).names : [])
        self.names = names.map { Array($0.utf8) }
    }

    /// The value of a `Cookie` header without our cookies; empty when there is no other, nil when it had none of ours.
    func cutting(_ header: UnsafeRawBufferPointer) -> [UInt8]? {
        var hasOurs = false
        var rest: [UInt8] = []
        var start = 0
        while start < header.count {
            let end = header[start...].firstIndex(of: UInt8(ascii: ";")) ?? header.count
            let pair = UnsafeRawBufferPointer(rebasing: header[start..<end]).trimmed
            start = end + 1
            if isOurs(pair) {
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
        let pair = UnsafeRawBufferPointer(rebasing: header.prefix { $0 != UInt8(ascii: ";") }).trimmed
        guard pair.first == UInt8(ascii: "=") else { return isOurs(pair) }
        return isOurs(UnsafeRawBufferPointer(rebasing: pair.dropFirst()).trimmed)
    }

    /// - Parameter pair: without white space around it.
    private func isOurs(_ pair: UnsafeRawBufferPointer) -> Bool {
        names.contains { name in
            guard pair.starts(with: name) else { return false }
            let behind = UnsafeRawBufferPointer(rebasing: pair.dropFirst(name.count)).trimmed
            return behind.first == UInt8(ascii: "=")
        }
    }
}
