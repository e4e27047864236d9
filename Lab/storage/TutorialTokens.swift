import Crypto
import Foundation

/// JWTs as tutorials make them: HS256, a subject and an expiry. The server keeps no record of them.
struct TutorialTokens: Sendable {
    private let key = SymmetricKey(size: .bits256)

    enum Kind: String {
        case access, refresh
    }

    /// - Parameter seconds: until it expires.
    func token(_ kind: Kind, for email: String, seconds: Double) -> String {
        let expiry = Int64((Date.now.timeIntervalSince1970 + seconds) * 1000)
        let claims: JSONValue = ["sub": .string(email), "use": .string(kind.rawValue), "exp_ms": .integer(expiry)]
        let header: JSONValue = ["alg": "HS256", "typ": "JWT"]
        let message = "\(Base64URL.encode(header.serialized)).\(Base64URL.encode(claims.serialized))"
        return "\(message).\(Base64URL.encode(Array(signature(message))))"
    }

    /// - Returns: the subject; nil for a token that is forged, expired or of the other kind.
    func subject(of token: String, _ kind: Kind) -> String? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let mac = Base64URL.decode(parts[2]), let bytes = Base64URL.decode(parts[1]),
            HMAC<SHA256>.isValidAuthenticationCode(
                mac, authenticating: Data("\(parts[0]).\(parts[1])".utf8), using: key),
            let claims = (try? JSONValue(parsing: bytes))?.objectValue, claims["use"]?.stringValue == kind.rawValue,
            let expiry = claims["exp_ms"]?.integerValue, Double(expiry) > Date.now.timeIntervalSince1970 * 1000
        else { return nil }
        return claims["sub"]?.stringValue
    }

    private func signature(_ message: String) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Data(message.utf8), using: key)
    }
}
