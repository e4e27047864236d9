/// What each cell is known to come out as. Ours must; of the others a difference is news about a browser.
enum Expectation {
    /// The engines agree. One letter for each storage choice, in the order of `StorageChoice`: falls, holds, found Out, or nothing to attack.
    private static let table: [String: String] = [
        "read-and-send": "FFHHFHHHHH",
        "stay-and-take": "FFFHFFHHHH",
        "take-from-now-on": "FFFHFFHHHH",
        "fresh-tokens": "FFHHFFHHHH",
        "ride-session": "FFFFFFFFFF",
        "ride-sensitive": "FFFFFFFFFH",
        "plant-session": "FFHHFFFFHH",
        "attackers-worker": "FFFFFFFFHH",
        "cross-site-request": "HHHFHHFHHH",
        "sibling-request": "HHHFHHFFHH",
        "laundered-request": "HHHFHHFHHH",
        "laundered-sibling-request": "HHHFHHFFHH",
        "websocket": "HHHHHHFHHH",
        "sibling-websocket": "HHHHHHFFHH",
        "login-forgery": "HHHFHFFFHH",
        "logout-forgery": "HH-FHFFFHH",
        "cookie-tossing": "HHHHHFFFHH",
        "jar-at-once": "FF--FFFFOO",
        "jar-after-renewal": "FF--FFFFHH",
        "jar-silent-victim": "FF--FFFFFF",
        "jar-after-logout": "FF--FFFFHH",
        "addresses": "FFFHFFHHHH",
    ]

    static func verdict(_ attack: Attack, _ storage: StorageChoice) -> String {
        let row = Array(table[attack.name] ?? "")
        guard let column = StorageChoice.allCases.firstIndex(of: storage), row.indices.contains(column) else {
            return "?"
        }
        switch row[column] {
        case "F": return "falls"
        case "H": return "holds"
        case "O": return "found out"
        default: return "-"
        }
    }
}
