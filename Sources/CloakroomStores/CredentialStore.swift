public import CloakroomCore

/// Saves the credentials of backends that use the service API. Each method is one atomic use case.
///
/// A conforming store passes `StoreContract` of CloakroomTesting.
public protocol CredentialStore: Sendable {
    /// - Returns: nil, with nothing changed, when there is a credential of this id.
    func add(_ credential: ServiceCredential, recording events: [SecurityEvent]) async throws -> Committed<Void>?

    func credential(_ id: CredentialID) async throws -> ServiceCredential?

    /// Every credential, oldest first, also expired ones.
    func credentials() async throws -> [ServiceCredential]

    /// - Returns: nil when there is no such credential.
    func remove(_ id: CredentialID, recording events: [SecurityEvent]) async throws -> Committed<Void>?
}

/// A credential of a backend, without its secret.
public struct ServiceCredential: Hashable, Sendable {
    /// The public name.
    public let id: CredentialID
    /// The SHA-256 of the secret half of the key. The secret is 256 random bits and cannot be guessed, so a slow hash, as
    /// for passwords, would only make each call slower.
    public let digest: [UInt8]
    /// What the key may do.
    public let rights: Rights
    /// When the credential was added.
    public let createdAt: Instant
    /// From this time on the key is refused; nil for never.
    public let expiresAt: Instant?

    /// What a key may do, and from where.
    public struct Rights: Hashable, Sendable, Codable {
        /// The calls that it may make.
        public var scopes: Set<ServiceScope>
        /// The highest authentication level that it may assert.
        public var maximumLevel: AuthenticationLevel
        /// It may name only subjects that begin with this text; nil for all.
        public var subjectPrefix: String?
        /// The network of its users, in CIDR notation; nil for every peer of the private listener.
        public var network: String?

        /// Takes the rights of a key.
        public init(
            scopes: Set<ServiceScope>, maximumLevel: AuthenticationLevel = .singleFactor, subjectPrefix: String? = nil,
            network: String? = nil
        ) {
            self.scopes = scopes
            self.maximumLevel = maximumLevel
            self.subjectPrefix = subjectPrefix
            self.network = network
        }
    }

    /// Takes the saved fields.
    public init(id: CredentialID, digest: [UInt8], rights: Rights, createdAt: Instant, expiresAt: Instant?) {
        self.id = id
        self.digest = digest
        self.rights = rights
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

/// A group of calls of the service API.
public enum ServiceScope: String, Hashable, Sendable, Codable, CaseIterable {
    case createSessions = "sessions:create"
    case readSessions = "sessions:read"
    case revokeSessions = "sessions:revoke"
    case writeClaims = "claims:write"
    case readEvents = "events:read"
    case readRevocations = "revocations:read"
}
