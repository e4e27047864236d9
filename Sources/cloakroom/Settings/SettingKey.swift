/// The key of a setting in the YAML file, such as `publicURL`. Its flag and its environment variable follow from it.
struct SettingKey: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    let name: String

    init(_ name: String) {
        self.name = name
    }

    init(stringLiteral name: String) {
        self.name = name
    }

    var description: String { name }

    /// The environment variable, such as `CLOAKROOM_PUBLIC_URL`.
    var environmentName: String {
        "CLOAKROOM_" + words.joined(separator: "_").uppercased()
    }

    /// The flag, such as `--public-url`.
    var flag: String {
        "--" + words.joined(separator: "-").lowercased()
    }

    /// The words of the key: `publicURL` is `public` and `URL`.
    private var words: [String] {
        var words: [String] = []
        var previousIsUpper = false
        for character in name {
            if words.isEmpty || character.isUppercase && !previousIsUpper { words.append("") }
            words[words.count - 1].append(character)
            previousIsUpper = character.isUppercase
        }
        return words
    }
}
