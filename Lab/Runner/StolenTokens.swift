import CloakroomTokens

/// Whatever looks like a token in loot, sorted by what it says of itself, newest last.
struct StolenTokens: Hashable, Sendable {
    private(set) var access: [String] = []
    private(set) var refresh: [String] = []

    init(in loot: String) {
        for match in loot.matches(of: /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/) {
            let token = String(match.0)
            if Self.isRefreshToken(token) { refresh.append(token) } else { access.append(token) }
        }
    }

    /// The newest two as Cloakroom's cookie holds them; with hybrid delivery there is no access token in it.
    var pair: String? { refresh.last.map { "\(access.last ?? "")~\($0)" } }

    /// By its type, as ours have it, or by its use, as the tutorials' have it.
    private static func isRefreshToken(_ token: String) -> Bool {
        let parts = token.split(separator: ".").prefix(2).map { part in
            (Base64URL.decode(String(part)).flatMap { try? JSONReader.read($0) })?.objectValue
        }
        guard parts.count == 2 else { return false }
        return parts[0]?["typ"]?.stringValue == "rt+jwt" || parts[1]?["use"]?.stringValue == "refresh"
    }
}
