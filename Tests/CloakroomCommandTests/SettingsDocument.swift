@testable import cloakroom

/// The tables of `docs/configuration.md`: one for each section, between `<!-- settings: TITLE -->` and `<!-- end -->`.
struct SettingsDocument {
    /// The document with the tables that `SettingsTable` generates.
    private(set) var text = ""
    /// The titles of the sections in the document.
    private(set) var titles: [String] = []

    init(_ document: String) {
        var isTable = false
        for line in document.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "<!-- end -->" { isTable = false }
            if !isTable { text += line + "\n" }
            guard let title = line.wholeMatch(of: /<!-- settings: (.+) -->/)?.1 else { continue }
            isTable = true
            titles.append(String(title))
            text += Self.table(SettingsTable.sections.first { $0.title == title }?.settings ?? [])
        }
        text.removeLast()
    }

    private static func table(_ settings: [Setting]) -> String {
        let rows = settings.map { setting in
            let warning = setting.risk.map { "**Unsafe:** \($0.warning)" }
            let meaning = [setting.help, setting.note, warning].compactMap { $0 }.filter { !$0.isEmpty }
            return ["`\(setting.key)`", setting.expected, setting.documentedDefault, meaning.joined(separator: " ")]
        }
        let lines = [["key", "value", "default", "meaning"], Array(repeating: "---", count: 4)] + rows
        return lines.map { cells in
            "|" + cells.map { $0 == "---" ? "---|" : " \($0.replacing("|", with: "\\|")) |" }.joined() + "\n"
        }.joined()
    }
}

extension Setting {
    fileprivate var documentedDefault: String {
        guard defaultValue.isValue else { return defaultValue.text }
        return "`\(defaultValue.text)`" + (defaultValue.remark.map { " (\($0))" } ?? "")
    }
}
