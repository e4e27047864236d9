/// The known verdict of each cell. A difference in one of Cloakroom's fails the run; a difference in another means that a
/// browser has changed.
enum Expectation {
    /// One letter for each storage choice, in the order of `StorageChoice`: F falls, H holds, D detected, - does not apply.
    /// L falls in Firefox and WebKit, which mark a request that a service worker passes on as same-origin; W falls in
    /// Chromium, which sends no Fetch Metadata with WebSocket handshakes. Both hold elsewhere.
    private static let table: [String: String] = [
        "token-theft": "FFHHFHHHHHHH",
        "persistent-token-theft": "FFFHFFHHHHHH",
        "late-token-theft": "FFFHFFHHHHHH",
        "new-tokens": "FFHHFFHHHHHH",
        "forward-auth-theft": "---------FHH",
        "session-riding": "FFFFFFFFFFFF",
        "sensitive-session-riding": "FFFFFFFFFFFH",
        "password-theft": "FFFFFFFFFFFF",
        "xss-session-fixation": "FF-HFFFFFFHH",
        "forced-login": "FF-FFFFFFFFF",
        "malicious-service-worker": "FFFFFFFFFFHH",
        "csrf": "HHHFHHFHHHHH",
        "sibling-csrf": "HHHFHHFHFFHH",
        "worker-csrf": "HHHFHHFLHHHH",
        "worker-sibling-csrf": "HHHFHHFLFFHH",
        "websocket-hijacking": "HHHHHHFWHHHH",
        "sibling-websocket-hijacking": "HHHHHHFWFFHH",
        "login-csrf": "HHHFHFFHFFHH",
        "logout-csrf": "HH-FHFFHFFHH",
        "cookie-tossing": "HHHHHFFFFFHH",
        "session-fixation": "HHHHFFFFFFHH",
        "replay": "FF--FFFFFFDD",
        "replay-after-renewal": "FF--FFFFFFHH",
        "replay-victim-away": "FF--FFFFFFFF",
        "replay-after-logout": "FF--FFFFFFHH",
        "token-in-url": "FFFHFFHHHHHH",
    ]

    static func verdict(_ attack: Attack, _ storage: StorageChoice, _ engine: BrowserEngine) -> String {
        let row = Array(table[attack.name] ?? "")
        guard let column = StorageChoice.allCases.firstIndex(of: storage), row.indices.contains(column) else {
            return "?"
        }
        switch row[column] {
        case "F": return "falls"
        case "H": return "holds"
        case "D": return "detected"
        case "L": return engine == .chromium ? "holds" : "falls"
        case "W": return engine == .chromium ? "falls" : "holds"
        default: return "-"
        }
    }

    /// A storage choice that the attack succeeds against, to be played as its control.
    static func victim(of attack: Attack, _ engine: BrowserEngine) -> StorageChoice? {
        StorageChoice.allCases.first { !$0.isOurs && verdict(attack, $0, engine) == "falls" }
    }
}
