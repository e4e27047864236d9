package import CloakroomTokens

/// Storage for the issuer's keys: two files, or a database that many instances share.
///
/// The issuer reads the keys at its start and asks every second whether they have changed (`KeyWatch`). `update`
/// computes new keys from the stored ones, and is atomic among all processes.
package protocol KeySource: Sendable {
    /// Whether a new refresh secret has to wait until every instance has read it.
    var publishesRefreshSecrets: Bool { get }

    /// Reads the keys, unless they are still those of `revision`.
    func read(since revision: KeyRevision?) async throws -> KeyReading

    /// Replaces the keys by the result of `change`, durably, as one atomic step among all processes.
    /// - Parameter change: receives nil while there are no keys; must be pure.
    /// - Returns: the keys as they are stored now.
    func update(_ change: @Sendable (IssuerKeys?) throws -> IssuerKeys) async throws -> IssuerKeys
}

/// The result of `KeySource.read(since:)`.
package enum KeyReading: Sendable {
    /// The source holds no keys.
    case absent
    case unchanged
    case read(IssuerKeys, KeyRevision)
}

/// A digest of the contents of a key source. A modification time does not suffice: two writes within one clock tick
/// leave the same time and different contents.
package struct KeyRevision: Hashable, Sendable {
    let digest: [UInt8]

    package init(digest: [UInt8]) {
        self.digest = digest
    }
}
