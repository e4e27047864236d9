package import CloakroomCore
public import CloakroomFiles
package import CloakroomTokens
import Crypto
import Foundation

/// The keys on disk: signing keys in one file, refresh secrets in another, so that a backup or a sidecar that needs
/// one of the files does not get the other.
public struct KeyFiles: KeySource {
    static let signingKeys = "signing-keys.json"
    static let refreshSecrets = "refresh-secrets.json"

    /// Another process on the directory reads an unknown secret at once, and the file does not say when one begins.
    package let publishesRefreshSecrets = false
    package let directory: DataDirectory
    private let environment: Environment

    /// Uses the key files in this directory. `open` creates them at the first start.
    public init(directory: DataDirectory) {
        self.init(directory: directory, environment: .system)
    }

    package init(directory: DataDirectory, environment: Environment) {
        self.directory = directory
        self.environment = environment
    }

    /// Returns the keys for a server that starts, and creates them at the first start.
    /// - Parameter algorithm: the configured algorithm; nil keeps that of the existing keys, and means ES256 at the
    ///   first start.
    package func open(
        _ algorithm: SignatureAlgorithm?, under policy: SessionPolicy = SessionPolicy()
    ) throws -> IssuerKeys {
        let environment = environment
        // Reads without the lock: a read-only mount, such as a Kubernetes secret, does not allow one.
        if let keys = try? read(), keys.isServing(algorithm, longestSession: policy.absoluteLifetime) { return keys }
        return try update { try .starting(with: $0, algorithm, under: policy, in: environment) }
    }

    /// Reads the keys; nil when neither file exists.
    package func read() throws -> IssuerKeys? {
        guard let contents = try contents() else { return nil }
        return try parse(contents)
    }

    package func read(since revision: KeyRevision?) throws -> KeyReading {
        guard let contents = try contents() else { return .absent }
        return contents.revision == revision ? .unchanged : .read(try parse(contents), contents.revision)
    }

    package func update(_ change: (IssuerKeys?) throws -> IssuerKeys) throws -> IssuerKeys {
        try directory.exclusively {
            try finishFirstStart()
            let contents = try contents()
            try write(change(contents.map(parse)), over: contents)
            guard let saved = try read() else {
                throw UnusableData(.missing, "the keys in \(directory.path) have vanished")
            }
            return saved
        }
    }

    /// The bytes of the two files.
    private struct Contents {
        let signing: [UInt8]
        let refresh: [UInt8]

        var revision: KeyRevision {
            KeyRevision(digest: [signing, refresh].flatMap { Array(SHA256.hash(data: $0)) })
        }
    }

    private func contents() throws -> Contents? {
        let signing = try directory.readSecret(Self.signingKeys)
        let refresh = try directory.readSecret(Self.refreshSecrets)
        if signing == nil, refresh == nil { return nil }
        guard let signing, let refresh else {
            throw UnusableData(
                .damaged,
                "\(directory.path) has one of \(Self.signingKeys) and \(Self.refreshSecrets), not both; restore the other one"
            )
        }
        return Contents(signing: signing, refresh: refresh)
    }

    private func parse(_ contents: Contents) throws -> IssuerKeys {
        try KeyFileFormat(path: directory.path).parse(signing: contents.signing, refresh: contents.refresh)
    }

    /// Writes the files that differ from `before`. At the first start both files are complete on disk before the
    /// first one gets its name, so that the next process can finish after a process is killed in between. A later
    /// change touches one file only.
    private func write(_ keys: IssuerKeys, over before: Contents?) throws {
        let files = [
            (Self.refreshSecrets, KeyFileFormat.refreshFile(keys), before?.refresh),
            (Self.signingKeys, KeyFileFormat.signingFile(keys), before?.signing),
        ].filter { $0.1 != $0.2 }
        for (name, bytes, _) in files { try directory.prepareSecret(name, bytes) }
        for (name, _, _) in files { try directory.publishSecret(name) }
    }

    /// Completes an interrupted first start, and removes the temporary files of an interrupted change. The caller
    /// holds the lock.
    private func finishFirstStart() throws {
        let names = [Self.refreshSecrets, Self.signingKeys]
        let missing = try names.filter { try FileAccess.status(of: directory.file($0)) == nil }
        if missing.count == 1, try directory.isPrepared(missing[0]) { try directory.publishSecret(missing[0]) }
        for name in names { directory.discardPrepared(name) }
    }
}
