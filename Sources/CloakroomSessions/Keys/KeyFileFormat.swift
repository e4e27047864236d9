import CloakroomCore
import CloakroomFiles
import CloakroomTokens

/// Writes and parses the JSON of the two key files.
struct KeyFileFormat {
    /// The path of the key directory, for error messages.
    let path: String

    static func signingFile(_ keys: IssuerKeys) -> [UInt8] {
        let object: JSONValue = [
            "keys": .array(keys.signing.map(json)), "removed": .array(keys.removed.map { .string($0) }),
            "longest_session": .integer(keys.longestSession.milliseconds),
        ]
        return object.serialized
    }

    static func refreshFile(_ keys: IssuerKeys) -> [UInt8] {
        let object: JSONValue = ["keys": .array(keys.refresh.map(json))]
        return object.serialized
    }

    func parse(signing: [UInt8], refresh: [UInt8]) throws -> IssuerKeys {
        let signingFile = try object(signing, KeyFiles.signingKeys)
        let refreshFile = try object(refresh, KeyFiles.refreshSecrets)
        guard let removed = signingFile["removed"]?.arrayValue,
            let longestSession = signingFile["longest_session"]?.integerValue
        else { throw damaged(KeyFiles.signingKeys) }
        do {
            return try IssuerKeys(
                signing: entries(signingFile, KeyFiles.signingKeys, signingEntry),
                refresh: entries(refreshFile, KeyFiles.refreshSecrets, refreshEntry),
                removed: removed.compactMap(\.stringValue), longestSession: Span(milliseconds: longestSession))
        } catch let refusal as IssuerKeys.Refusal {
            throw UnusableData(.damaged, "the keys in \(path) cannot be used: \(refusal.reason)")
        } catch let refusal as KeySet.Refusal {
            throw UnusableData(.damaged, "the keys in \(path) cannot be used: \(refusal.reason)")
        }
    }

    private func object(_ bytes: [UInt8], _ name: String) throws -> JSONObject {
        guard let object = try? JSONReader.read(bytes).objectValue else { throw damaged(name) }
        return object
    }

    /// Parses the entries of a file. One unreadable entry makes the whole file fail: without that key, the server
    /// would end the sessions that use it.
    private func entries<Entry>(
        _ file: JSONObject, _ name: String, _ entry: (JSONObject) throws -> Entry?
    ) throws -> [Entry] {
        guard let array = file["keys"]?.arrayValue else { throw damaged(name) }
        return try array.map { value in
            guard let object = value.objectValue, let entry = try? entry(object) else { throw damaged(name) }
            return entry
        }
    }

    private func damaged(_ name: String) -> UnusableData {
        UnusableData(.damaged, "\(path)/\(name) is not a file of keys")
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

    private func signingEntry(_ json: JSONObject) throws -> IssuerKeys.SigningEntry? {
        guard let algorithm = json["algorithm"]?.stringValue, let key = json["key"]?.stringValue,
            let createdAt = json["created_at"]?.integerValue, let signsFrom = json["signs_from"]?.integerValue
        else { return nil }
        return IssuerKeys.SigningEntry(
            key: try SigningKey(algorithm: algorithm, serialized: key), createdAt: Instant(milliseconds: createdAt),
            signsFrom: Instant(milliseconds: signsFrom))
    }

    private func refreshEntry(_ json: JSONObject) throws -> IssuerKeys.RefreshEntry? {
        guard let id = json["kid"]?.stringValue,
            let secret = json["secret"]?.stringValue.flatMap({ Base64URL.decode($0) }),
            secret.count >= 32, let createdAt = json["created_at"]?.integerValue
        else { return nil }
        return IssuerKeys.RefreshEntry(
            key: RefreshKey(id: id, secret: Secret(secret)), createdAt: Instant(milliseconds: createdAt))
    }
}
