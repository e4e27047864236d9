package import CloakroomCore

/// Both tokens of a session as the cookie carries them: `<access token>~<refresh token>`. With hybrid delivery the part
/// before `~` is empty.
///
/// One cookie for both: a lost response, a proxy that relays only one `Set-Cookie`, or an attacker could separate a
/// pair in two cookies.
package enum SessionTokens {
    /// The result of the check of one cookie. `indirect`, because every request copies it: a copy is one reference,
    /// not a dozen.
    package indirect enum Checked: Hashable, Sendable {
        case live(VerifiedAccess, RefreshHalf)
        /// The access token gives no access: a renewal with the refresh token must yield a new one.
        case stale(StaleAccess, RefreshHalf)

        package var refresh: RefreshHalf {
            switch self {
            case .live(_, let refresh), .stale(_, let refresh): refresh
            }
        }

        /// The access token of the cookie, expired or not.
        package var access: VerifiedAccess? {
            switch self {
            case .live(let access, _): access
            case .stale(.expired(let expired), _): expired.access
            case .stale(.absent, _), .stale(.unverifiable, _): nil
            }
        }
    }

    /// Why an access token gives no access although it is no forgery.
    package enum StaleAccess: Hashable, Sendable {
        /// Hybrid delivery.
        case absent
        /// Expired, or not yet valid after a step of our own clock.
        case expired(ExpiredAccess)
        /// Signed with a key that was removed because it was stolen: the token may be a thief's or the user's own.
        case unverifiable
    }

    /// The refresh token as a resource server sees it: bytes that only the issuer can verify.
    package struct RefreshHalf: Hashable, Sendable {
        package let bytes: Secret
    }

    static let separator = UInt8(ascii: "~")
    /// In bytes, and longer than any value that we set. The length is checked before anything else.
    static let maximumSize = 4096

    package static func join(access: Secret?, refresh: Secret) -> String {
        String(decoding: (access?.bytes ?? []) + [separator] + refresh.bytes, as: UTF8.self)
    }

    /// The two tokens, neither of them verified.
    package static func split(
        _ value: [UInt8]
    ) throws(TokenFault) -> (access: ArraySlice<UInt8>, refresh: RefreshHalf) {
        guard value.count <= maximumSize else { throw .malformed("the cookie is too long") }
        let parts = value.split(separator: separator, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw .malformed("the cookie does not hold two tokens") }
        return (parts[0], RefreshHalf(bytes: Secret(Array(parts[1]))))
    }
}
