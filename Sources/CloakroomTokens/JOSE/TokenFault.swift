package import CloakroomCore

/// Why a token was refused: for the operator (`cloakroom verify`, debug logs), never for the client.
package enum TokenFault: Error, Hashable, Sendable {
    case malformed(String)
    case unknownKey
    case wrongAlgorithm
    case criticalHeader
    case foreignKeyHeader
    case badSignature
    case wrongType
    case wrongIssuer
    case wrongAudience
    case badClaim(String)
    case notYetValid
    case expired
    /// It is valid for longer than its issuer should make it: the revocation of its session is forgotten before it expires.
    case lifetimeTooLong
    /// The two tokens of a cookie are of different sessions.
    case differentSessions
    /// The token belongs to another host of the setting `hosts`.
    case otherHost

    /// The denial that the client gets.
    package var denial: Denial {
        switch self {
        case .expired, .lifetimeTooLong: .tokenExpired
        case .malformed, .unknownKey, .wrongAlgorithm, .criticalHeader, .foreignKeyHeader, .badSignature, .wrongType,
            .wrongIssuer, .wrongAudience, .badClaim, .notYetValid, .differentSessions,
            .otherHost:
            .tokenInvalid
        }
    }

    package var reason: String {
        switch self {
        case .malformed(let what): what
        case .unknownKey: "no key has the token's kid"
        case .wrongAlgorithm: "the header's alg is not the algorithm of the key"
        case .criticalHeader: "the header demands extensions (crit, b64, zip) that are not supported"
        case .foreignKeyHeader: "the header brings or points to a key of its own (jwk, jku, x5c, x5u)"
        case .badSignature: "the signature does not match"
        case .wrongType: "the header's typ is not the expected one"
        case .wrongIssuer: "iss is not the expected issuer"
        case .wrongAudience: "aud does not name the expected audience"
        case .badClaim(let name): "the claim \(name) is missing or malformed"
        case .notYetValid: "the token is not valid yet"
        case .expired: "the token has expired"
        case .lifetimeTooLong: "the token is valid for longer than the lifetime of access tokens"
        case .differentSessions: "the two tokens of the cookie are of different sessions"
        case .otherHost: "the token belongs to another host"
        }
    }
}
