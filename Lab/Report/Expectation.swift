/// What each cell is known to come out as. Ours must; of the others a difference is news about a browser.
enum Expectation {
    /// One letter for each storage choice, in the order of `StorageChoice`: falls, holds, found Out, - nothing to attack.
    /// L falls where a worker launders what passes it (Firefox and WebKit), W where sockets say nothing of their site
    /// (Chromium); both hold elsewhere.
    private static let table: [String: String] = [
        "read-and-send": "FFHHFHHHHHH",
        "stay-and-take": "FFFHFFHHHHH",
        "take-from-now-on": "FFFHFFHHHHH",
        "fresh-tokens": "FFHHFFHHHHH",
        "ride-session": "FFFFFFFFFFF",
        "ride-sensitive": "FFFFFFFFFFH",
        "overhear-password": "FFFFFFFFFFF",
        "plant-session": "FF-HFFFFFHH",
        "login-from-within": "FF-FFFFFFFF",
        "attackers-worker": "FFFFFFFFFHH",
        "cross-site-request": "HHHFHHFHHHH",
        "sibling-request": "HHHFHHFHFHH",
        "laundered-request": "HHHFHHFLHHH",
        "laundered-sibling-request": "HHHFHHFLFHH",
        "websocket": "HHHHHHFWHHH",
        "sibling-websocket": "HHHHHHFWFHH",
        "login-forgery": "HHHFHFFHFHH",
        "logout-forgery": "HH-FHFFHFHH",
        "cookie-tossing": "HHHHHFFFFHH",
        "session-fixation": "HHHHFFFFFHH",
        "jar-at-once": "FF--FFFFFOO",
        "jar-after-renewal": "FF--FFFFFHH",
        "jar-silent-victim": "FF--FFFFFFF",
        "jar-after-logout": "FF--FFFFFHH",
        "addresses": "FFFHFFHHHHH",
    ]

    static func verdict(_ attack: Attack, _ storage: StorageChoice, _ engine: BrowserEngine) -> String {
        let row = Array(table[attack.name] ?? "")
        guard let column = StorageChoice.allCases.firstIndex(of: storage), row.indices.contains(column) else {
            return "?"
        }
        switch row[column] {
        case "F": return "falls"
        case "H": return "holds"
        case "O": return "found out"
        case "L": return engine == .chromium ? "holds" : "falls"
        case "W": return engine == .chromium ? "falls" : "holds"
        default: return "-"
        }
    }

    /// A storage choice that falls to the attack: playing it shows that the attack is one.
    static func victim(of attack: Attack, _ engine: BrowserEngine) -> StorageChoice? {
        StorageChoice.allCases.first { !$0.isOurs && verdict(attack, $0, engine) == "falls" }
    }
}
