package import CloakroomCore
import Synchronization

/// A compact JWS (RFC 7515 section 7.1) with a verified signature. Only `verify` makes one.
package struct VerifiedJWS: Sendable {
    /// `typ` as the header spells it.
    package let type: String?
    package let keyID: String?
    package let payload: [UInt8]

    /// The maximum size of a token, in bytes.
    package static let maximumSize = 8192

    /// Checks form, header and signature, in the order of rising cost.
    package static func verify(_ token: some Collection<UInt8>, with keys: KeySet) throws(TokenFault) -> Self {
        guard token.count <= maximumSize else { throw .malformed("the token is longer than \(maximumSize) bytes") }
        let token = Array(token)
        let parts = token.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .malformed("a token has three parts") }
        let known = keys.headers.header(parts[0])
        let (header, key) = if let known { known } else { try keys.header(parts[0]) }
        guard let payload = Base64URL.decode(parts[1]) else { throw .malformed("the payload is not base64url") }
        guard let signature = Base64URL.decode(parts[2]) else { throw .malformed("the signature is not base64url") }
        guard key.isValid(signature: signature, for: token[..<(parts[2].startIndex - 1)]) else { throw .badSignature }
        if known == nil { keys.headers.remember(header, key, parts[0]) }
        return Self(type: header.type, keyID: header.keyID, payload: payload)
    }

    /// The `kid` that a token names, which nothing has verified.
    static func claimedKeyID(of token: some Collection<UInt8>) -> String? {
        (try? JWSHeader(Array(token.prefix { $0 != UInt8(ascii: ".") })[...]))?.keyID
    }

    /// The `iss` that a token claims, which nothing has verified; nil for what does not read as a token.
    static func claimedIssuer(of token: some Collection<UInt8>) -> String? {
        guard token.count <= maximumSize else { return nil }
        let parts = Array(token).split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let payload = Base64URL.decode(parts[1]) else { return nil }
        return (try? object(payload, "payload"))?["iss"]?.stringValue
    }

    /// The claims of a token whose payload must be a JSON object (RFC 7519 section 7.2).
    package func claims() throws(TokenFault) -> JSONObject {
        try Self.object(payload, "payload")
    }

    fileprivate static func object(_ bytes: [UInt8], _ part: String) throws(TokenFault) -> JSONObject {
        do {
            guard let object = try JSONReader.read(bytes).objectValue else {
                throw TokenFault.malformed("the \(part) is not a JSON object")
            }
            return object
        } catch let failure as JSONReader.Failure {
            throw .malformed("the \(part) is not strict JSON: \(failure.reason)")
        } catch {
            throw .malformed("the \(part) is not a JSON object")
        }
    }

    /// - Throws: `TokenFault.wrongType` unless `typ` is `expected`, alone or after `application/` (RFC 7515 section
    ///   4.1.9). Case-sensitive: issuers of such tokens use this spelling.
    package func checkType(_ expected: String) throws(TokenFault) {
        guard type == expected || type == "application/\(expected)" else { throw .wrongType }
    }
}

/// The header parameters that decide how the token is verified.
struct JWSHeader: Sendable {
    let algorithm: String
    let keyID: String?
    let type: String?

    /// - Parameter part: the header in base64url, as the token has it.
    init(_ part: ArraySlice<UInt8>) throws(TokenFault) {
        guard part.count <= 1024, let bytes = Base64URL.decode(part) else {
            throw .malformed("the header is not base64url, or too long")
        }
        let members = try VerifiedJWS.object(bytes, "header")
        for name in ["crit", "b64", "zip", "enc"] where members[name] != nil { throw .criticalHeader }
        for name in ["jwk", "jku", "x5c", "x5u"] where members[name] != nil { throw .foreignKeyHeader }
        guard let algorithm = members["alg"]?.stringValue else { throw .wrongAlgorithm }
        self.algorithm = algorithm
        keyID = try Self.string(members, "kid")
        type = try Self.string(members, "typ")
    }

    private static func string(_ members: JSONObject, _ name: String) throws(TokenFault) -> String? {
        guard let member = members[name] else { return nil }
        guard let string = member.stringValue else { throw .malformed("\(name) is not a string") }
        return string
    }
}

extension KeySet {
    /// Parses a header and finds the one key that may verify the token.
    fileprivate func header(_ part: ArraySlice<UInt8>) throws(TokenFault) -> KnownHeaders.Entry {
        let header = try JWSHeader(part)
        guard let key = key(for: header.keyID) else { throw .unknownKey }
        guard SignatureAlgorithm(headerName: header.algorithm) == key.algorithm else { throw .wrongAlgorithm }
        return (header, key)
    }
}

/// Caches the headers of verified tokens with their keys, keyed by the bytes of the header: an issuer writes the same
/// header on every token, and parsing it takes as long as checking a MAC. Bounded; only headers with a valid signature
/// become entries.
final class KnownHeaders: Sendable {
    typealias Entry = (header: JWSHeader, key: VerificationKey)

    private let headers = Mutex<[ArraySlice<UInt8>: Entry]>([:])
    private static let limit = 64

    func header(_ part: ArraySlice<UInt8>) -> Entry? {
        headers.withLock { $0[part] }
    }

    func remember(_ header: JWSHeader, _ key: VerificationKey, _ part: ArraySlice<UInt8>) {
        headers.withLock { headers in
            if headers.count >= Self.limit { headers.removeAll() }
            // A copy: the slice would keep the whole token in memory.
            headers[ArraySlice(Array(part))] = (header, key)
        }
    }
}
