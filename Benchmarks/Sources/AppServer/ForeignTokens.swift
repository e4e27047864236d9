import CloakroomCore
import CloakroomTokens
import Crypto
import Foundation

/// HS256 access tokens with the claims of Cloakroom's, under a shared secret.
struct ForeignTokens {
    let key: VerificationKey
    private let secret: SymmetricKey

    init(secret: [UInt8]) {
        key = VerificationKey(id: "foreign", secret: Secret(secret))
        self.secret = SymmetricKey(data: secret)
    }

    func token(_ number: Int) -> String {
        let now = Int64(Date.now.timeIntervalSince1970)
        let header: JSONValue = ["alg": "HS256", "kid": "foreign", "typ": "at+jwt"]
        let claims: JSONValue = [
            "iss": "http://localhost", "sub": .string("u_bench-\(number)"), "aud": "http://localhost",
            "client_id": "browser", "iat": .integer(now), "exp": .integer(now + 86400),
            "jti": .string(Base64URL.encode((0..<16).map { _ in UInt8.random(in: .min ... .max) })),
            "sid": .string(Base64URL.encode((0..<18).map { _ in UInt8.random(in: .min ... .max) })), "gen": 0,
            "auth_time": .integer(now), "acr": "1", "amr": ["pwd"],
        ]
        let message = "\(Base64URL.encode(header.serialized)).\(Base64URL.encode(claims.serialized))"
        let mac = HMAC<SHA256>.authenticationCode(for: Array(message.utf8), using: secret)
        return "\(message).\(Base64URL.encode(Array(mac)))"
    }
}
