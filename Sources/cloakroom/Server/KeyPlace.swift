import CloakroomCore
import CloakroomFiles
import CloakroomSessions
import CloakroomStores
import CloakroomTokens

/// Where the keys are: in the files of a data directory, or in a store that many instances share.
enum KeyPlace {
    case files(KeyFiles)
    case store(StoredKeys, DataSettings)

    /// - Parameter store: nil if the keys are in files.
    init(_ data: DataSettings, _ directory: DataDirectory, _ store: (any KeyStore)?, _ environment: Environment) {
        if let store {
            self = .store(StoredKeys(store, environment: environment) { try data.masterSecrets() }, data)
        } else {
            self = .files(KeyFiles(directory: directory, environment: environment))
        }
    }

    var source: any KeySource {
        switch self {
        case .files(let files): files
        case .store(let stored, _): stored
        }
    }

    /// The keys for a server that starts.
    func open(_ algorithm: SignatureAlgorithm?, under policy: SessionPolicy) async throws -> IssuerKeys {
        switch self {
        case .files(let files): try files.open(algorithm, under: policy)
        case .store(let stored, _):
            try await explaining { try await stored.open(algorithm, under: policy) }
        }
    }

    /// - Throws: `UnusableData` if there are none.
    func existing() async throws -> IssuerKeys {
        switch self {
        case .files(let files):
            guard let keys = try files.read() else { throw missing(in: files.directory.path) }
            return keys
        case .store(let stored, _):
            guard let keys = try await explaining(stored.read) else { throw missing(in: "the store") }
            return keys
        }
    }

    /// Changes existing keys. If there are none, it creates no file, not even a lock.
    func change(_ work: @escaping @Sendable (IssuerKeys) throws -> IssuerKeys) async throws -> IssuerKeys {
        _ = try await existing()
        return try await explaining {
            try await source.update { keys in
                guard let keys else { throw missing(in: "the store") }
                return try work(keys)
            }
        }
    }

    private func missing(in place: String) -> UnusableData {
        UnusableData(.missing, "there are no keys in \(place); the server makes them at its first start")
    }

    /// Names the setting of a master secret that does not open the keys.
    func explaining<Value>(_ work: () async throws -> Value) async throws -> Value {
        do { return try await work() } catch let error as UnusableKeys {
            switch self {
            case .files: throw error
            case .store(_, let data):
                throw SettingsError(
                    place: data.masterSecret == nil ? "masterSecretFile" : "masterSecret", problem: error.description)
            }
        }
    }
}
