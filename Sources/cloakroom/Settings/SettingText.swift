/// The texts of settings are Markdown, with keys in backticks.
extension String {
    /// The text without backticks, for messages.
    var withoutMarkup: String {
        replacing("`", with: "")
    }

    /// The text without backticks and with flags in place of keys, for `--help`.
    var withFlags: String {
        split(separator: "`", omittingEmptySubsequences: false).enumerated().map { index, part in
            let isCode = index % 2 == 1
            return isCode ? SettingsTable[.init(String(part))]?.key.flag ?? String(part) : String(part)
        }.joined()
    }
}
