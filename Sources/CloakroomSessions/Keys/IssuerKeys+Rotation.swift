package import CloakroomCore
package import CloakroomTokens

/// Creates, rotates and removes the issuer's keys. The functions are pure, so that key files and a database follow
/// the same rules.
extension IssuerKeys {
    /// How long a new key is published before it signs: twice as long as verifiers may keep the key set.
    package static let publication = Span.minutes(10)
    /// The largest number of keys of one kind. A change that exceeds it is refused, because every verifier keeps all
    /// keys in memory.
    package static let maximumCount = 100
    /// The number of ids of removed keys that are kept. Beyond it the oldest ids are dropped.
    package static let maximumRemoved = 100
    /// How long a key is kept after its last possible use, to allow for clock skew.
    private static let grace = Span.days(1)

    /// A change of the keys that was refused. The description is the reason, as a sentence.
    package struct ChangeRefused: Error, Hashable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Returns the keys for a server that starts: `keys`, or new ones at the first start, as `serving` returns them.
    /// - Parameter algorithm: nil means ES256 at the first start.
    package static func starting(
        with keys: IssuerKeys?, _ algorithm: SignatureAlgorithm?, under policy: SessionPolicy,
        in environment: Environment
    ) throws -> IssuerKeys {
        let now = environment.now()
        let keys = try keys ?? .first(algorithm ?? .es256, at: now, random: environment.random)
        return try keys.serving(algorithm, longestSession: policy.absoluteLifetime, at: now)
    }

    /// Creates the keys for the first start: one signing key and one refresh secret, which sign at once.
    package static func first(
        _ algorithm: SignatureAlgorithm, at now: Instant, random: (Int) -> [UInt8]
    ) throws -> IssuerKeys {
        let entry = SigningEntry(key: try .generate(algorithm), createdAt: now, signsFrom: now)
        return try IssuerKeys(signing: [entry], refresh: [refreshEntry(from: now, at: now, random)])
    }

    /// The algorithm of the newest signing key. It can differ from the default of the setting.
    package var algorithm: SignatureAlgorithm { signing[signing.count - 1].key.algorithm }

    /// Returns the keys that a server needs when it starts: raises `longestSession` if necessary, and rotates to
    /// `algorithm` if the newest key uses another one.
    /// - Parameters:
    ///   - algorithm: the configured algorithm; nil keeps that of the newest key.
    ///   - longestSession: the longest lifetime of a session on this server.
    package func serving(
        _ algorithm: SignatureAlgorithm?, longestSession: Span, at now: Instant
    ) throws -> IssuerKeys {
        let keys = longestSession > self.longestSession ? try with(longestSession: longestSession) : self
        guard let algorithm, algorithm != keys.algorithm else { return keys }
        return try keys.rotated(to: algorithm, from: now + Self.publication, at: now)
    }

    /// Whether `serving` would return these keys unchanged.
    func isServing(_ algorithm: SignatureAlgorithm?, longestSession: Span) -> Bool {
        (algorithm ?? self.algorithm) == self.algorithm && longestSession <= self.longestSession
    }

    /// Adds a signing key that signs from `start`, and drops the keys that no live token can need.
    /// - Parameter algorithm: nil for the algorithm of the newest key.
    package func rotated(
        to algorithm: SignatureAlgorithm? = nil, from start: Instant, at now: Instant
    ) throws -> IssuerKeys {
        let entry = SigningEntry(key: try .generate(algorithm ?? self.algorithm), createdAt: now, signsFrom: start)
        let kept = Self.needed(signing, until: longestSession, at: now, since: \.signsFrom)
        return try checked(with(signing: kept + [entry]))
    }

    /// Adds a refresh secret, which signs the refresh tokens of all new generations from `start` on.
    package func withNewRefreshSecret(
        from start: Instant, at now: Instant, random: (Int) -> [UInt8]
    ) throws -> IssuerKeys {
        let kept = Self.needed(refresh, until: longestSession, at: now, since: \.signsFrom)
        return try checked(with(refresh: kept + [Self.refreshEntry(from: start, at: now, random)]))
    }

    /// Adds the keys of another issuer, such as one that kept its keys in files before. The key that began last signs.
    package func adding(_ other: IssuerKeys) throws -> IssuerKeys {
        let ended = Set(removed)
        let ids = Set(signing.map(\.key.id) + refresh.map(\.key.id)).union(ended)
        return try checked(
            with(
                signing: (signing + other.signing.filter { !ids.contains($0.key.id) })
                    .filter { !other.removed.contains($0.key.id) },
                refresh: refresh + other.refresh.filter { !ids.contains($0.key.id) },
                removed: (removed + other.removed.filter { !ended.contains($0) }).suffix(Self.maximumRemoved),
                longestSession: max(longestSession, other.longestSession)))
    }

    /// Removes a stolen signing key and keeps its id. When an access token in a cookie names that id, the server
    /// judges the cookie by its refresh token instead.
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

    /// Returns the entries that a live token can still need. A key makes tokens until the next key takes over, and a
    /// session from that time can live for `lifetime`. The last superseded key always stays, so that one rotation by
    /// a clock that is years ahead does not end all sessions.
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

    private static func refreshEntry(
        from start: Instant, at now: Instant, _ random: (Int) -> [UInt8]
    ) -> RefreshEntry {
        RefreshEntry(
            key: RefreshKey(id: Base64URL.encode(random(8)), secret: Secret(random(32))), createdAt: now,
            signsFrom: start)
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
