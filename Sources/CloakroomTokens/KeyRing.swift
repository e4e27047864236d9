package import CloakroomCore
import Synchronization

/// The issuer's keys: those that sign access tokens, and apart from them the secrets of the refresh tokens.
///
/// Which key signs is a function of the time alone, so every instance with the same ring agrees without talking.
package struct KeyRing: Sendable {
    /// A signing key and when it begins to sign. It is published from the start, so that verifiers know it by then.
    package struct SigningEntry: Sendable {
        package let key: SigningKey
        package let createdAt: Instant
        package let signsFrom: Instant

        package init(key: SigningKey, createdAt: Instant, signsFrom: Instant) {
            self.key = key
            self.createdAt = createdAt
            self.signsFrom = signsFrom
        }
    }

    package struct RefreshEntry: Sendable {
        package let key: RefreshKey
        package let createdAt: Instant

        package init(key: RefreshKey, createdAt: Instant) {
            self.key = key
            self.createdAt = createdAt
        }
    }

    /// What a key is doing at a moment.
    package enum Stage: String, Sendable {
        /// In the key set, not signing yet.
        case published
        case signing
        /// Not signing any more; tokens that it signed are still alive.
        case verifying
        /// Every token that it signed is dead. Kept so that an expired token in a cookie can be told from a forged one.
        case retired
    }

    /// Why a ring cannot be used.
    package struct Refusal: Error, Hashable, Sendable {
        package let reason: String
    }

    package let signing: [SigningEntry]
    package let refresh: [RefreshEntry]
    /// Every public key of the ring, retired ones too.
    package let accessKeys: KeySet
    let refreshKeys: KeySet

    package init(signing: [SigningEntry], refresh: [RefreshEntry]) throws {
        guard !signing.isEmpty, !refresh.isEmpty else { throw Refusal(reason: "a ring needs a key of each kind") }
        self.signing = signing.sorted { $0.signsFrom < $1.signsFrom }
        self.refresh = refresh.sorted { $0.createdAt < $1.createdAt }
        accessKeys = try KeySet(signing.map { try $0.key.verificationKey() })
        refreshKeys = try KeySet(refresh.map(\.key.verificationKey))
    }

    /// The key that signs access tokens at `now`.
    package func signingKey(at now: Instant) -> SigningKey {
        (signing.last { $0.signsFrom <= now } ?? signing[0]).key
    }

    /// The secret that new generations are signed with.
    package var currentRefreshKey: RefreshKey {
        refresh[refresh.count - 1].key
    }

    func refreshKey(_ id: String) -> RefreshKey? {
        refresh.first { $0.key.id == id }?.key
    }

    /// - Parameter lifetime: how long an access token lives.
    package func stage(of entry: SigningEntry, at now: Instant, lifetime: Span) -> Stage {
        if entry.key.id == signingKey(at: now).id { return .signing }
        if entry.signsFrom > now { return .published }
        // The next in order, which with equal beginnings is not a later one.
        let position = signing.firstIndex { $0.key.id == entry.key.id } ?? signing.count
        let successor = position + 1 < signing.count ? signing[position + 1].signsFrom : now
        return now < successor + lifetime + AccessTokenVerifier.leeway ? .verifying : .retired
    }

    func isRetired(_ id: String?, at now: Instant, lifetime: Span) -> Bool {
        signing.contains { $0.key.id == id && stage(of: $0, at: now, lifetime: lifetime) == .retired }
    }

    /// The public key set (RFC 7517 section 5): what signs, what will sign, and what signed tokens that are still alive.
    package func publicKeySet(at now: Instant, lifetime: Span) throws -> JSONValue {
        let live = signing.filter { stage(of: $0, at: now, lifetime: lifetime) != .retired }
        return ["keys": .array(try live.map { .object(try $0.key.publicJWK()) })]
    }
}

/// The ring in use, exchanged as a whole when its files change.
package final class LiveKeyRing: Sendable {
    private let ring: Mutex<KeyRing>

    package init(_ ring: KeyRing) {
        self.ring = Mutex(ring)
    }

    package var current: KeyRing {
        ring.withLock { $0 }
    }

    package func replace(with newer: KeyRing) {
        ring.withLock { $0 = newer }
    }
}
