/// The texts of settings are Markdown, in which keys stand in backticks.
extension String {
    /// Without backticks, for messages.
    var withoutMarkup: String {
        replacing("`", with: "")
    }

    /// Without backticks and with flags in the place of keys, for `--help`.
    var withFlags: String {
        split(separator: "`", omittingEmptySubsequences: false).enumerated().map { index, part in
            let isCode = index % 2 == 1
            return isCode ? SettingsTable[.init(String(part))]?.key.flag ?? String(part) : String(part)
        }.joined()
    }
}
