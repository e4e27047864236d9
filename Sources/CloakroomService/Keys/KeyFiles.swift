package import CloakroomCore
package import CloakroomTokens
import Foundation

/// The key ring on disk: signing keys in one file, refresh secrets in another, so that whoever may see the one need not
/// see the other.
public struct KeyFiles: Sendable {
    static let signingKeys = "signing-keys.json"
    static let refreshSecrets = "refresh-secrets.json"

    package let directory: DataDirectory
    private let environment: Environment

    /// The keys in this directory, made there at first start.
    public init(directory: DataDirectory) {
        self.init(directory: directory, environment: .system)
    }

    package init(directory: DataDirectory, environment: Environment) {
        self.directory = directory
        self.environment = environment
    }

    /// How long a new key is published before it signs: twice as long as verifiers may keep the key set.
    package static let publication = Span.minutes(10)

    /// The ring, made at first start, and with a key for `algorithm` added when it has none.
    package func open(_ algorithm: SignatureAlgorithm) throws -> IssuerKeys {
        guard let ring = try read() else { return try save(temporaryKeys(algorithm)) }
        let latest = ring.signing[ring.signing.count - 1].key.algorithm
        return latest == algorithm ? ring : try rotate(ring, to: algorithm, from: environment.now() + Self.publication)
    }

    /// nil when there are no keys yet.
    package func read() throws -> IssuerKeys? {
        let signing = try directory.readSecret(Self.signingKeys)
        let refresh = try directory.readSecret(Self.refreshSecrets)
        guard let signing, let refresh else {
            guard signing == nil, refresh == nil else {
                throw DataDirectory.Unusable(
                    description: "\(directory.path) has one of \(Self.signingKeys) and \(Self.refreshSecrets), not both"
                )
            }
            return nil
        }
        return try IssuerKeys(
            signing: entries(signing, in: Self.signingKeys).map(signingEntry),
            refresh: entries(refresh, in: Self.refreshSecrets).map(refreshEntry))
    }

    /// Adds a signing key that signs from `start`, and drops those that nothing can need any more.
    package func rotate(_ ring: IssuerKeys, to algorithm: SignatureAlgorithm, from start: Instant) throws -> IssuerKeys
    {
        let entry = IssuerKeys.SigningEntry(
            key: try SigningKey.generate(algorithm), createdAt: environment.now(), signsFrom: start)
        return try save(IssuerKeys(signing: ring.signing + [entry], refresh: ring.refresh))
    }

    /// Adds a refresh secret; new generations are signed with it from now on.
    package func rotateRefreshSecret(_ ring: IssuerKeys) throws -> IssuerKeys {
        try save(IssuerKeys(signing: ring.signing, refresh: ring.refresh + [newRefreshEntry()]))
    }

    /// Removes a signing key at once: for one that was stolen.
    package func remove(_ id: String, from ring: IssuerKeys) throws -> IssuerKeys {
        try save(IssuerKeys(signing: ring.signing.filter { $0.key.id != id }, refresh: ring.refresh))
    }

    /// What changes when one of the files is replaced.
    var fingerprint: [UInt64] {
        [Self.signingKeys, Self.refreshSecrets].flatMap { name -> [UInt64] in
            var status = stat()
            guard stat(directory.file(name), &status) == 0 else { return [0, 0] }
            return [UInt64(status.st_ino), UInt64(status.st_mtim.tv_sec)]
        }
    }

    /// A ring that is written nowhere.
    package func temporaryKeys(_ algorithm: SignatureAlgorithm = .es256) throws -> IssuerKeys {
        let now = environment.now()
        let entry = IssuerKeys.SigningEntry(key: try SigningKey.generate(algorithm), createdAt: now, signsFrom: now)
        return try IssuerKeys(signing: [entry], refresh: [newRefreshEntry()])
    }

    private func newRefreshEntry() -> IssuerKeys.RefreshEntry {
        let id = Base64URL.encode(environment.random(8))
        return IssuerKeys.RefreshEntry(
            key: RefreshKey(id: id, secret: Secret(environment.random(32))), createdAt: environment.now())
    }

    private func save(_ ring: IssuerKeys) throws -> IssuerKeys {
        try write(Self.refreshSecrets, ring.refresh.map(Self.json))
        try write(Self.signingKeys, ring.signing.map(Self.json))
        return ring
    }

    private func write(_ name: String, _ entries: [JSONValue]) throws {
        try directory.writeSecret(name, JSONValue.object(["keys": .array(entries)]).serialized)
    }

    private func entries(_ bytes: [UInt8], in name: String) throws -> [JSONObject] {
        guard let entries = try? JSONReader.read(bytes).objectValue?["keys"]?.arrayValue?.compactMap(\.objectValue)
        else { throw corrupt(name) }
        return entries
    }

    private func corrupt(_ name: String) -> DataDirectory.Unusable {
        DataDirectory.Unusable(description: "\(directory.file(name)) is not a file of keys")
    }

    private static func json(_ entry: IssuerKeys.SigningEntry) -> JSONValue {
        [
            "kid": .string(entry.key.id), "algorithm": .string(entry.key.algorithm.rawValue),
            "key": .string(entry.key.serialized), "created_at": .integer(entry.createdAt.milliseconds),
            "signs_from": .integer(entry.signsFrom.milliseconds),
        ]
    }

    private static func json(_ entry: IssuerKeys.RefreshEntry) -> JSONValue {
        [
            "kid": .string(entry.key.id), "secret": .string(Base64URL.encode(entry.key.secret.bytes)),
            "created_at": .integer(entry.createdAt.milliseconds),
        ]
    }

    private func signingEntry(_ json: JSONObject) throws -> IssuerKeys.SigningEntry {
        guard let algorithm = json["algorithm"]?.stringValue, let key = json["key"]?.stringValue,
            let createdAt = json["created_at"]?.integerValue, let signsFrom = json["signs_from"]?.integerValue
        else { throw corrupt(Self.signingKeys) }
        return IssuerKeys.SigningEntry(
            key: try SigningKey(algorithm: algorithm, serialized: key), createdAt: Instant(milliseconds: createdAt),
            signsFrom: Instant(milliseconds: signsFrom))
    }

    private func refreshEntry(_ json: JSONObject) throws -> IssuerKeys.RefreshEntry {
        guard let id = json["kid"]?.stringValue,
            let secret = json["secret"]?.stringValue.flatMap({ Base64URL.decode($0) }),
            secret.count >= 32, let createdAt = json["created_at"]?.integerValue
        else { throw corrupt(Self.refreshSecrets) }
        return IssuerKeys.RefreshEntry(
            key: RefreshKey(id: id, secret: Secret(secret)), createdAt: Instant(milliseconds: createdAt))
    }
}
