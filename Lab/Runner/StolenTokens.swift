/// The JWTs in stolen data, by kind, the newest last.
struct StolenTokens: Hashable, Sendable {
    private(set) var access: [String] = []
    private(set) var refresh: [String] = []

    init(in loot: String) {
        for match in loot.matches(of: /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/) {
            let token = String(match.0)
            if Self.isRefreshToken(token) { refresh.append(token) } else { access.append(token) }
        }
    }

    /// The newest tokens in the form of Cloakroom's cookie value. With hybrid delivery its access token is empty.
    var pair: String? { refresh.last.map { "\(access.last ?? "")~\($0)" } }

    /// Cloakroom's tokens state their kind in `typ`, those of the tutorials in the claim `use`.
    private static func isRefreshToken(_ token: String) -> Bool {
        let parts = token.split(separator: ".").prefix(2).map { part in
            Base64URL.decode(String(part)).flatMap { try? JSONValue(parsing: $0) }?.objectValue
        }
        guard parts.count == 2 else { return false }
        return parts[0]?["typ"]?.stringValue == "rt+jwt" || parts[1]?["use"]?.stringValue == "refresh"
    }
}
