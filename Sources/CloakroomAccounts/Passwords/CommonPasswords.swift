/// Passwords that attackers try first (ASVS 5.0 section 6.2.4). The list and its origin: `common-passwords.txt`.
enum CommonPasswords {
    /// Whether the list contains the password, also without the digits and signs at its end (`password2024!`).
    static func contains(_ password: String) -> Bool {
        let folded = password.lowercased()
        let stem = String(folded.reversed().drop { !$0.isLetter }.reversed())
        return words.contains(folded) || words.contains(stem) || words.contains(String(stem.map(letter)))
    }

    private static let words: Set<String> = {
        let text = String(decoding: PackageResources.common_passwords_txt, as: UTF8.self)
        return Set(text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.lowercased() })
    }()

    /// Undoes common substitutions (`p@ssw0rd`).
    private static func letter(_ character: Character) -> Character {
        switch character {
        case "@", "4": "a"
        case "3": "e"
        case "1", "!": "i"
        case "0": "o"
        case "$", "5": "s"
        case "7": "t"
        default: character
        }
    }
}
