/// What each cell is known to come out as. Ours must; of the others a difference is news about a browser.
enum Expectation {
    /// One letter for each storage choice, in the order of `StorageChoice`: falls, holds, found Out, - nothing to attack.
    /// L falls where a worker launders what passes it (Firefox and WebKit), W where sockets say nothing of their site
    /// (Chromium); both hold elsewhere.
    private static let table: [String: String] = [
        "read-and-send": "FFHHFHHHHHHH",
        "stay-and-take": "FFFHFFHHHHHH",
        "take-from-now-on": "FFFHFFHHHHHH",
        "fresh-tokens": "FFHHFFHHHHHH",
        "proxy-endpoints": "---------FHH",
        "ride-session": "FFFFFFFFFFFF",
        "ride-sensitive": "FFFFFFFFFFFH",
        "overhear-password": "FFFFFFFFFFFF",
        "plant-session": "FF-HFFFFFFHH",
        "login-from-within": "FF-FFFFFFFFF",
        "attackers-worker": "FFFFFFFFFFHH",
        "cross-site-request": "HHHFHHFHHHHH",
        "sibling-request": "HHHFHHFHFFHH",
        "laundered-request": "HHHFHHFLHHHH",
        "laundered-sibling-request": "HHHFHHFLFFHH",
        "websocket": "HHHHHHFWHHHH",
        "sibling-websocket": "HHHHHHFWFFHH",
        "login-forgery": "HHHFHFFHFFHH",
        "logout-forgery": "HH-FHFFHFFHH",
        "cookie-tossing": "HHHHHFFFFFHH",
        "session-fixation": "HHHHFFFFFFHH",
        "jar-at-once": "FF--FFFFFFOO",
        "jar-after-renewal": "FF--FFFFFFHH",
        "jar-silent-victim": "FF--FFFFFFFF",
        "jar-after-logout": "FF--FFFFFFHH",
        "addresses": "FFFHFFHHHHHH",
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
