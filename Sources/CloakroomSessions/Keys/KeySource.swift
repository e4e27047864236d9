package import CloakroomTokens

/// Where the issuer's keys are kept: two files, or a database that many instances share.
///
/// The issuer reads them at its start and asks every second whether they have changed (`KeyWatch`). Whoever changes them
/// does so in one step among all processes, by a function of what is there.
package protocol KeySource: Sendable {
    /// The keys, if they are not those of `revision`.
    func read(since revision: KeyRevision?) async throws -> KeyReading

    /// Replaces the keys by what `change` makes of them, durably, as one atomic step among all processes.
    /// - Parameter change: is given nil while there are none; must be pure.
    /// - Returns: the keys as they are kept now.
    func update(_ change: @Sendable (IssuerKeys?) throws -> IssuerKeys) async throws -> IssuerKeys
}

/// What a look at a source of keys brought.
package enum KeyReading: Sendable {
    /// There are no keys yet.
    case absent
    case unchanged
    case read(IssuerKeys, KeyRevision)
}

/// Names one content of a source of keys. By content, not by time: a file written twice within a tick of the clock has
/// one time and two contents.
package struct KeyRevision: Hashable, Sendable {
    private let digest: [UInt8]

    package init(digest: [UInt8]) {
        self.digest = digest
    }
}
