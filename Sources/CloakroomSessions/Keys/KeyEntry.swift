import CloakroomCore
import CloakroomStores
import CloakroomTokens

/// A key of either kind, as a row of a store describes it.
struct KeyEntry: Sendable {
    let id: String
    let kind: KeyIdentity.Kind
    let algorithm: String
    let createdAt: Instant
    let signsFrom: Instant
    let material: Secret

    init(_ entry: IssuerKeys.SigningEntry) {
        (id, kind, algorithm) = (entry.key.id, .signing, entry.key.algorithm.rawValue)
        (createdAt, signsFrom) = (entry.createdAt, entry.signsFrom)
        material = Secret(Array(entry.key.serialized.utf8))
    }

    init(_ entry: IssuerKeys.RefreshEntry) {
        (id, kind, algorithm) = (entry.key.id, .refresh, SignatureAlgorithm.hs256.rawValue)
        (createdAt, signsFrom) = (entry.createdAt, entry.signsFrom)
        material = entry.key.secret
    }

    /// Opens a live row.
    /// - Throws: `UnusableKeys`.
    init(_ row: KeyRow, with secrets: MasterSecrets) throws(UnusableKeys) {
        let identity = row.identity
        guard case .live(let sealed) = row.state else { throw UnusableKeys(row.id, .altered, secrets) }
        (id, kind, algorithm) = (identity.id, identity.kind, identity.algorithm)
        (createdAt, signsFrom) = (identity.createdAt, identity.signsFrom)
        do { material = try SealedKey.open(sealed, of: identity, with: secrets) } catch {
            throw UnusableKeys(row.id, error, secrets)
        }
    }

    func sealed(as period: Int64, under secret: MasterSecret, longestSession: Span) throws -> KeyRow {
        let identity = KeyIdentity(
            id: id, kind: kind, algorithm: algorithm, period: period, createdAt: createdAt, signsFrom: signsFrom)
        return KeyRow(
            identity, .live(sealed: try SealedKey.seal(material, of: identity, under: secret)),
            longestSession: longestSession)
    }
}

extension IssuerKeys {
    var entries: [KeyEntry] { signing.map(KeyEntry.init) + refresh.map(KeyEntry.init) }

    init(_ entries: [KeyEntry], removed: [String], longestSession: Span) throws {
        try self.init(
            signing: entries.filter { $0.kind == .signing }.map { entry in
                SigningEntry(
                    key: try SigningKey(
                        algorithm: entry.algorithm, serialized: String(decoding: entry.material.bytes, as: UTF8.self)),
                    createdAt: entry.createdAt, signsFrom: entry.signsFrom)
            },
            refresh: entries.filter { $0.kind == .refresh }.map { entry in
                RefreshEntry(
                    key: RefreshKey(id: entry.id, secret: entry.material), createdAt: entry.createdAt,
                    signsFrom: entry.signsFrom)
            }, removed: removed, longestSession: longestSession)
    }
}

/// Why the keys in a store cannot be opened, as a sentence. It names keys and master secrets by their ids.
package struct UnusableKeys: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ id: String, _ fault: SealedKey.Fault, _ secrets: MasterSecrets) {
        let own = secrets.all.map(\.id).joined(separator: ", ")
        description =
            switch fault {
            case .otherSecret(let other):
                "the keys in the store are sealed under the master secret with the id \(other), and this one has the id \(own): give every instance the same secret"
            case .altered: "the key \(id) in the store was changed by something other than cloakroom"
            case .version: "the key \(id) in the store was sealed by a newer build"
            }
    }
}
