package import CloakroomCore

/// Both tokens of a session as the cookie carries them: `<access token>~<refresh token>`. With hybrid delivery the part
/// before `~` is empty.
///
/// One cookie for both: a pair in two cookies can be torn apart by a lost answer, by a proxy that relays one
/// `Set-Cookie` only, or by an attacker.
package enum SessionTokens {
    /// What the tokens of one cookie turned out to be. Handed around with every request, so that a copy should be one
    /// reference, not a dozen.
    package indirect enum Checked: Hashable, Sendable {
        case live(VerifiedAccess, RefreshToken)
        /// The access token has expired, or there is none (hybrid delivery): the refresh token must earn a new one.
        case stale(ExpiredAccess?, RefreshToken)

        package var refreshToken: RefreshToken {
            switch self {
            case .live(_, let refresh), .stale(_, let refresh): refresh
            }
        }

        package var session: SessionID { refreshToken.session }
    }

    static let separator = UInt8(ascii: "~")
    /// Longer than any value that we set; measured before any work is done.
    static let maximumSize = 4096

    package static func join(access: Secret?, refresh: Secret) -> String {
        String(decoding: (access?.bytes ?? []) + [separator] + refresh.bytes, as: UTF8.self)
    }

    /// - Throws: `TokenFault`, also when the two tokens are of different sessions.
    static func verify(
        _ value: [UInt8], access verifier: AccessTokenVerifier, refresh keys: KeySet, at now: Instant
    ) throws(TokenFault) -> Checked {
        guard value.count <= maximumSize else { throw .malformed("the cookie is too long") }
        let parts = value.split(separator: separator, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw .malformed("the cookie does not hold two tokens") }
        // The MAC first: it is cheap, and rubbish ends here.
        let refresh = try RefreshToken(parts[1], with: keys)
        guard !parts[0].isEmpty else { return .stale(nil, refresh) }
        let checked: CheckedAccess
        do {
            checked = try verifier.verify(parts[0], at: now)
        } catch .notYetValid {
            // Our own clock went back: the refresh token may earn a newer one, as with hybrid delivery.
            return .stale(nil, refresh)
        }
        switch checked {
        case .live(let access):
            try checkSameSession(access, refresh)
            return .live(access, refresh)
        case .expired(let expired):
            try checkSameSession(expired.access, refresh)
            return .stale(expired, refresh)
        }
    }

    private static func checkSameSession(_ access: VerifiedAccess, _ refresh: RefreshToken) throws(TokenFault) {
        guard access.session == refresh.session else { throw .badClaim("sid") }
    }
}
