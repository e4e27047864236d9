import Crypto
import Foundation
import Hummingbird

/// The tokens of the app before the change: HS256 with a secret of its own.
private func key() throws -> SymmetricKey {
    SymmetricKey(data: Array(try variable("SECRET").utf8))
}

private func encoded(_ bytes: some Sequence<UInt8>) -> String {
    Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
}

private func decoded(_ text: Substring) -> Data? {
    let base64 = text.replacing("-", with: "+").replacing("_", with: "/")
    return Data(base64Encoded: base64 + String(repeating: "=", count: (4 - base64.count % 4) % 4))
}

private let header = encoded(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8))

package func sign(_ user: User, minutes: Int) throws -> String {
    let expires = Int(Date().timeIntervalSince1970) + 60 * minutes
    let payload = try JSONEncoder().encode(Claims(sub: user.id, exp: expires, roles: user.roles))
    let message = "\(header).\(encoded(payload))"
    return "\(message).\(encoded(HMAC<SHA256>.authenticationCode(for: Array(message.utf8), using: try key())))"
}

package func verify(_ authorization: String) throws -> Claims {
    let parts = authorization.split(separator: " ").last?.split(separator: ".") ?? []
    guard parts.count == 3, parts[0] == header, let payload = decoded(parts[1]), let mac = decoded(parts[2]),
        HMAC<SHA256>.isValidAuthenticationCode(
            mac, authenticating: Array("\(parts[0]).\(parts[1])".utf8), using: try key())
    else { throw HTTPError(.unauthorized) }
    let claims = try JSONDecoder().decode(Claims.self, from: payload)
    guard let expires = claims.exp, Int(Date().timeIntervalSince1970) < expires else { throw HTTPError(.unauthorized) }
    return claims
}
