package import CloakroomCore

/// The public keys that verify access tokens. A resource server has no other keys, so it cannot forge tokens.
package struct VerifierKeys: Sendable {
    package struct Entry: Sendable {
        package let key: VerificationKey
        package let signsFrom: Instant

        package init(key: VerificationKey, signsFrom: Instant) {
            self.key = key
            self.signsFrom = signsFrom
        }
    }

    /// The use of a key at a given time.
    package enum Stage: String, Sendable {
        /// In the key set, but does not sign yet.
        case published
        case signing
        /// Signs no more, but tokens that it signed have not expired.
        case verifying
        /// Every token that it signed has expired. Kept to distinguish an expired token in a cookie from a forged one.
        case retired
    }

    /// Every public key, retired ones too.
    package let keySet: KeySet
    /// Ids of stolen keys: a token that names one proves nothing, but its holder did not necessarily forge it.
    package let removed: Set<String>
    private let entries: [Entry]

    package init(_ entries: [Entry], removed: [String] = []) throws {
        self.entries = entries.sorted { ($0.signsFrom, $0.key.id ?? "") < ($1.signsFrom, $1.key.id ?? "") }
        self.removed = Set(removed)
        keySet = try KeySet(entries.map(\.key))
    }

    /// The keys of a published key set, which does not say when each of them signs. No key counts as retired: the issuer
    /// leaves such keys out.
    /// - Throws: `KeySet.Refusal` for a secret: a token that it verifies could be forged by every reader of the set.
    package init(published keySet: KeySet) throws(KeySet.Refusal) {
        guard !keySet.keys.contains(where: \.isSymmetric) else { throw .init(reason: "the set contains secrets") }
        self.keySet = keySet
        removed = []
        entries = []
    }

    /// - Parameter lifetime: how long an access token lives.
    /// - Returns: nil for a key that is not among these, or whose times are not known.
    package func stage(of id: String?, at now: Instant, lifetime: Span) -> Stage? {
        guard let position = entries.firstIndex(where: { $0.key.id == id }) else { return nil }
        let current = entries.lastIndex { $0.signsFrom <= now } ?? 0
        if position == current { return .signing }
        if entries[position].signsFrom > now { return .published }
        // The next in order, which with equal beginnings is not a later one.
        let successor = position + 1 < entries.count ? entries[position + 1].signsFrom : now
        return now < successor + lifetime + Span.clockLeeway ? .verifying : .retired
    }
}
