package import CloakroomCore

/// Where status lists are served, and for how long a reader may keep one.
package struct StatusListService: Hashable, Sendable {
    /// The URI of a list without its name.
    private let prefix: String
    /// The claim `ttl` of lists, in seconds.
    package let ttl: Int

    package init(prefix: String, ttl: Int) {
        (self.prefix, self.ttl) = (prefix, ttl)
    }

    func uri(of list: StatusListID) -> String { prefix + list.text }

    /// The claim `status` of an access token (section 6.2).
    func claim(_ entry: StatusListEntry) -> JSONValue {
        ["status_list": ["idx": .integer(Int64(entry.index)), "uri": .string(uri(of: entry.list))]]
    }

    /// Signs a list (section 5.1). It has no `iss` and no `aud`, so no verifier accepts it for an access token, also one
    /// that does not compare `typ`.
    /// - Parameter time: all revocations that were committed before it are in the list.
    package func sign(
        _ list: StatusListID, invalid indexes: [UInt16], at time: Instant, with key: SigningKey
    ) throws -> [UInt8] {
        let claims: JSONObject = [
            "sub": .string(uri(of: list)), "iat": .integer(time.seconds),
            "exp": .integer(time.seconds + 2 * Int64(ttl)),
            "ttl": .integer(Int64(ttl)), "status_list": try StatusList(invalid: indexes.lazy.map { Int($0) }).json,
        ]
        return try key.sign(claims, type: StatusList.type)
    }
}
