/// The name of one session (claim `sid`): 128 random bits or more, base64url.
public struct SessionID: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The text in tokens and rows.
    public let rawValue: String

    /// Wraps the text without a check.
    public init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    /// Decodes a plain string.
    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(String.self)
    }

    /// Encodes a plain string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    /// The text in tokens and rows.
    public var description: String { rawValue }
}

/// The name of one account (claim `sub`): random, never reused, never an address.
public struct Subject: Hashable, Sendable, CustomStringConvertible {
    /// The text in tokens and rows.
    public let rawValue: String

    /// Wraps the text without a check.
    public init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    /// The text in tokens and rows.
    public var description: String { rawValue }
}

extension Subject {
    /// Whether it is the subject of an account that this server made. Apps with a login of their own have other subjects.
    package var isOfAccount: Bool { rawValue.hasPrefix("u_") }

    /// The level that the subject can reach: that of all our factors, or any level where an app authenticates it.
    package var highestReachableLevel: AuthenticationLevel { isOfAccount ? .highestReachable : .phishingResistant }
}

/// The public name of one service credential, by which events and commands refer to it: lower-case hexadecimal digits.
public struct CredentialID: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The text in keys, rows and events.
    public let rawValue: String

    /// Wraps the text without a check.
    public init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    /// Decodes a plain string.
    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(String.self)
    }

    /// Encodes a plain string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    /// The text in keys, rows and events.
    public var description: String { rawValue }
}

/// The name of one client application (claim `client_id`, RFC 9068 section 2.2).
public struct ClientID: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The text in tokens and rows.
    public let rawValue: String

    /// Wraps the text without a check.
    public init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    /// Decodes a plain string.
    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(String.self)
    }

    /// Encodes a plain string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    /// The client of a login request that names none: a page of this site, which uses the session cookie.
    public static let browser = Self("browser")

    /// The text in tokens and rows.
    public var description: String { rawValue }
}
