/// What each cell is known to come out as. Ours must; of the others a difference is news about a browser.
enum Expectation {
    /// One letter for each storage choice, in the order of `StorageChoice`: falls, holds, found Out, or nothing to attack.
    private static let table: [String: String] = [
        "read-and-send": "FFHHFHHHHH",
        "stay-and-take": "FFFHFFHHHH",
        "fresh-tokens": "FFHHFFHHHH",
        "ride-session": "FFFFFFFFFF",
        "ride-sensitive": "FFFFFFFFFH",
        "plant-session": "FFHHFFFFHH",
        "cross-site-request": "HHHFHHFHHH",
        "sibling-request": "HHHFHHFFHH",
        "login-forgery": "HHHHHFFFHH",
        "logout-forgery": "HH-HHFFFHH",
        "cookie-tossing": "HHHHHFFFHH",
        "jar-at-once": "FF--FFFFOO",
        "jar-after-renewal": "FF--FFFFHH",
        "jar-silent-victim": "FF--FFFFFF",
    ]

    /// Where an engine differs from that.
    private static let exceptions: [String: Character] = [:]

    static func verdict(_ attack: Attack, _ storage: StorageChoice, _ engine: BrowserEngine) -> String {
        let row = Array(table[attack.name] ?? "")
        guard let column = StorageChoice.allCases.firstIndex(of: storage), row.indices.contains(column) else {
            return "?"
        }
        let letter = exceptions["\(engine) \(attack.name) \(storage.rawValue)"] ?? row[column]
        switch letter {
        case "F": return "falls"
        case "H": return "holds"
        case "O": return "found out"
        default: return "-"
        }
    }
}
