import CloakroomMiddleware

/// Removes the session cookie from what backend and browser tell each other: the backend needs no refresh token, and must
/// not replace ours.
struct OwnCookies: Sendable {
    /// The names that the session cookie may have.
    private let names: [[UInt8]]

    init(_ cookie: SessionCookie) {
        names = cookie.names.map { Array($0.utf8) }
    }

    /// The value of a `Cookie` header without our cookies; empty when there is no other, nil when it had none of ours.
    func cutting(_ header: UnsafeRawBufferPointer) -> [UInt8]? {
        guard header.split(separator: UInt8(ascii: ";")).contains(where: isOurs) else { return nil }
        var rest: [UInt8] = []
        for part in header.split(separator: UInt8(ascii: ";")) where !isOurs(part) {
            let pair = UnsafeRawBufferPointer(rebasing: part).trimmed
            guard !pair.isEmpty else { continue }
            if !rest.isEmpty { rest.append(contentsOf: "; ".utf8) }
            rest.append(contentsOf: pair)
        }
        return rest
    }

    /// Whether a `Set-Cookie` header would set our cookie. Browsers store a cookie without a name as well, and send its
    /// value alone: `=NAME=VALUE` comes back as `NAME=VALUE`.
    func areSet(by header: UnsafeRawBufferPointer) -> Bool {
        let pair = header.prefix { $0 != UInt8(ascii: ";") }
        let trimmed = UnsafeRawBufferPointer(rebasing: pair).trimmed
        guard trimmed.first == UInt8(ascii: "=") else { return isOurs(pair) }
        return isOurs(UnsafeRawBufferPointer(rebasing: trimmed.dropFirst())[...])
    }

    private func isOurs(_ pair: Slice<UnsafeRawBufferPointer>) -> Bool {
        let pair = UnsafeRawBufferPointer(rebasing: pair).trimmed
        return names.contains { name in
            guard pair.starts(with: name) else { return false }
            let behind = UnsafeRawBufferPointer(rebasing: pair.dropFirst(name.count)).trimmed
            return behind.first == UInt8(ascii: "=")
        }
    }
}
