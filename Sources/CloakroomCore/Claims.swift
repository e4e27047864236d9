/// Claims that an app adds to the access tokens of a subject, such as its roles. A store saves them once for each
/// subject, and every access token that is issued afterwards contains them.
public struct Claims: Hashable, Sendable, Codable {
    /// The value of a claim: a string, a number, a Boolean, or a list of these.
    public enum Value: Hashable, Sendable {
        case string(String)
        case integer(Int64)
        case number(Double)
        case bool(Bool)
        case list([Value])
    }

    /// The values by the names of the claims.
    public let values: [String: Value]

    /// No claims.
    public static let empty = Claims([:])

    /// Takes the values by their names.
    public init(_ values: [String: Value]) {
        self.values = values
    }

    /// Decodes a plain dictionary.
    public init(from decoder: any Decoder) throws {
        values = try decoder.singleValueContainer().decode([String: Value].self)
    }

    /// Encodes a plain dictionary.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(values)
    }

    /// The value of the claim; nil without it.
    public subscript(name: String) -> Value? { values[name] }

    /// Whether the claim is this text, or a list with it. A number or a Boolean is compared in its JSON spelling.
    public func has(_ name: String, _ text: String) -> Bool {
        values[name]?.contains(text) ?? false
    }

    /// The claims with these names.
    package func restricted(to names: Set<String>) -> Claims {
        values.isEmpty ? self : Claims(values.filter { names.contains($0.key) })
    }
}

extension Claims {
    /// Claims that the server itself sets, or that give a token another meaning (RFC 7519, RFC 8693 section 4.1, RFC 7800,
    /// RFC 9068 section 2.2, draft-ietf-oauth-status-list-20). An app that could set them could raise its own rights, or name another user.
    public static let reservedNames: Set<String> = [
        "iss", "sub", "aud", "client_id", "iat", "nbf", "exp", "jti", "sid", "gen", "auth_time", "acr", "amr", "scope",
        "cnf", "act", "may_act", "nonce", "azp", "typ", "status", "cloakroom:host",
    ]

    /// Whether an app may have a claim of this name: 1 to 64 letters, digits, `_`, `-` and `.`, and not reserved.
    public static func isName(_ text: String) -> Bool {
        1...64 ~= text.utf8.count && !reservedNames.contains(text)
            && text.utf8.allSatisfy { byte in
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                    || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "_-.".utf8.contains(byte)
            }
    }
}

/// A claim that a route demands, such as `roles:editor`.
public struct ClaimDemand: Hashable, Sendable {
    /// The name of the claim.
    public let name: String
    /// The text that the claim must be, or that its list must contain.
    public let value: String

    /// Takes the name and the text.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// - Throws: `Denial.insufficientClaims`.
    package func check(_ claims: Claims) throws(Denial) {
        guard claims.has(name, value) else { throw .insufficientClaims }
    }
}

extension Claims.Value {
    fileprivate func contains(_ text: String) -> Bool {
        switch self {
        // By bytes: String equality treats canonically equivalent spellings as the same.
        case .string(let string): string.utf8.elementsEqual(text.utf8)
        case .integer(let number): "\(number)" == text
        case .number(let number): "\(number)" == text
        case .bool(let bool): "\(bool)" == text
        case .list(let values): values.contains { $0.contains(text) }
        }
    }
}

extension Claims.Value: Codable {
    /// Decodes a plain JSON value.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let bool = try? container.decode(Bool.self) {
            self = .bool(bool)
        } else if let integer = try? container.decode(Int64.self) {
            self = .integer(integer)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let string = try? container.decode(String.self) {
            self = .string(string)
        } else {
            self = .list(try container.decode([Self].self))
        }
    }

    /// Encodes a plain JSON value.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .string(let string): try container.encode(string)
        case .integer(let number): try container.encode(number)
        case .number(let number): try container.encode(number)
        case .bool(let bool): try container.encode(bool)
        case .list(let values): try container.encode(values)
        }
    }
}
