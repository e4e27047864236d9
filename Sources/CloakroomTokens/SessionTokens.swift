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
        case live(VerifiedAccess, RefreshHalf)
        /// The access half opens nothing: the refresh half must earn a newer one.
        case stale(StaleAccess, RefreshHalf)

        package var refresh: RefreshHalf {
            switch self {
            case .live(_, let refresh), .stale(_, let refresh): refresh
            }
        }

        /// The access token that came along, expired or not.
        package var access: VerifiedAccess? {
            switch self {
            case .live(let access, _): access
            case .stale(.expired(let expired), _): expired.access
            case .stale(.absent, _), .stale(.unverifiable, _): nil
            }
        }
    }

    /// Why an access half opens nothing, where that is no forgery.
    package enum StaleAccess: Hashable, Sendable {
        /// Hybrid delivery.
        case absent
        /// Or not yet valid, after a step of our own clock.
        case expired(ExpiredAccess)
        /// Of a key that was removed because it was stolen: it may be a thief's or the user's own.
        case unverifiable
    }

    /// The refresh token as a resource server sees it: bytes for the issuer alone.
    package struct RefreshHalf: Hashable, Sendable {
        package let bytes: Secret
    }

    static let separator = UInt8(ascii: "~")
    /// Longer than any value that we set; measured before any work is done.
    static let maximumSize = 4096

    package static func join(access: Secret?, refresh: Secret) -> String {
        String(decoding: (access?.bytes ?? []) + [separator] + refresh.bytes, as: UTF8.self)
    }

    /// The two halves, of which neither has been looked at.
    package static func split(
        _ value: [UInt8]
    ) throws(TokenFault) -> (access: ArraySlice<UInt8>, refresh: RefreshHalf) {
        guard value.count <= maximumSize else { throw .malformed("the cookie is too long") }
        let parts = value.split(separator: separator, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw .malformed("the cookie does not hold two tokens") }
        return (parts[0], RefreshHalf(bytes: Secret(Array(parts[1]))))
    }
}
