package import CloakroomCore
package import CloakroomTokens

/// How the issuer's keys change: pure, so that files and a database follow the same rules.
extension IssuerKeys {
    /// How long a new key is published before it signs: twice as long as verifiers may keep the key set.
    package static let publication = Span.minutes(10)
    /// More keys than this of a kind are refused: every verifier holds them all.
    package static let maximumCount = 100
    /// How many ids of removed keys are kept, the newest.
    package static let maximumRemoved = 100
    /// How long keys are kept beyond their use: clocks may be off.
    private static let grace = Span.days(1)

    /// Why keys cannot be changed as asked, as a sentence.
    package struct ChangeRefused: Error, Hashable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// The keys of a first start.
    package static func first(
        _ algorithm: SignatureAlgorithm, at now: Instant, random: (Int) -> [UInt8]
    ) throws -> IssuerKeys {
        let entry = SigningEntry(key: try .generate(algorithm), createdAt: now, signsFrom: now)
        return try IssuerKeys(signing: [entry], refresh: [refreshEntry(at: now, random)])
    }

    /// What the key that signs last signs with: the algorithm of these keys, whatever a setting's default is.
    package var algorithm: SignatureAlgorithm { signing[signing.count - 1].key.algorithm }

    /// As a server needs them that begins to serve.
    /// - Parameters:
    ///   - algorithm: what was set; nil for what there is.
    ///   - longestSession: the longest that a session of this server can live.
    package func serving(
        _ algorithm: SignatureAlgorithm?, longestSession: Span, at now: Instant
    ) throws -> IssuerKeys {
        let keys = longestSession > self.longestSession ? try with(longestSession: longestSession) : self
        guard let algorithm, algorithm != keys.algorithm else { return keys }
        return try keys.rotated(to: algorithm, from: now + Self.publication, at: now)
    }

    /// Whether `serving` would change nothing.
    func isServing(_ algorithm: SignatureAlgorithm?, longestSession: Span) -> Bool {
        (algorithm ?? self.algorithm) == self.algorithm && longestSession <= self.longestSession
    }

    /// Adds a signing key that signs from `start`, and drops those that nothing can need any more.
    /// - Parameter algorithm: nil for that of these keys.
    package func rotated(
        to algorithm: SignatureAlgorithm? = nil, from start: Instant, at now: Instant
    ) throws -> IssuerKeys {
        let entry = SigningEntry(key: try .generate(algorithm ?? self.algorithm), createdAt: now, signsFrom: start)
        let kept = Self.needed(signing, until: longestSession, at: now, since: \.signsFrom)
        return try checked(with(signing: kept + [entry]))
    }

    /// Adds a refresh secret; new generations are signed with it from now on.
    package func withNewRefreshSecret(at now: Instant, random: (Int) -> [UInt8]) throws -> IssuerKeys {
        let kept = Self.needed(refresh, until: longestSession, at: now, since: \.createdAt)
        return try checked(with(refresh: kept + [Self.refreshEntry(at: now, random)]))
    }

    /// Takes out a signing key that was stolen, and keeps its id: a cookie whose access half names it is judged by its
    /// refresh half.
    package func removing(_ id: String, at now: Instant) throws -> IssuerKeys {
        guard signing.contains(where: { $0.key.id == id }) else {
            throw ChangeRefused(description: "there is no signing key \(id)")
        }
        guard signingKey(at: now).id != id else {
            throw ChangeRefused(description: "this key signs now; run first: cloakroom keys rotate --now")
        }
        return try with(
            signing: signing.filter { $0.key.id != id }, removed: (removed + [id]).suffix(Self.maximumRemoved))
    }

    /// Those that something can need. What was made with a key was made until the next one took over, for a session
    /// that can live that long from then on. The last of the superseded stays in any case, so that one rotation by a
    /// clock that is years ahead logs nobody out.
    private static func needed<Entry>(
        _ entries: [Entry], until lifetime: Span, at now: Instant, since start: (Entry) -> Instant
    ) -> [Entry] {
        let current = entries.lastIndex { start($0) <= now } ?? 0
        return entries.indices.filter { index in
            index + 1 >= current || now < start(entries[index + 1]) + lifetime + grace
        }.map { entries[$0] }
    }

    private func checked(_ keys: IssuerKeys) throws -> IssuerKeys {
        guard keys.signing.count <= Self.maximumCount, keys.refresh.count <= Self.maximumCount else {
            throw ChangeRefused(
                description: "there are \(Self.maximumCount) keys of this kind, all of which live sessions may need")
        }
        return keys
    }

    private static func refreshEntry(at now: Instant, _ random: (Int) -> [UInt8]) -> RefreshEntry {
        RefreshEntry(
            key: RefreshKey(id: Base64URL.encode(random(8)), secret: Secret(random(32))), createdAt: now)
    }

    private func with(
        signing: [SigningEntry]? = nil, refresh: [RefreshEntry]? = nil, removed: [String]? = nil,
        longestSession: Span? = nil
    ) throws -> IssuerKeys {
        try IssuerKeys(
            signing: signing ?? self.signing, refresh: refresh ?? self.refresh, removed: removed ?? self.removed,
            longestSession: longestSession ?? self.longestSession)
    }
}
