extension String {
    /// For text and attribute values in HTML and SVG.
    var xmlEscaped: String {
        replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    /// HTML for bold and code, the only Markdown in the attacks' texts.
    var htmlFromMarkdown: String {
        xmlEscaped.replacing(/\*\*(.+?)\*\*/) { "<strong>\($0.1)</strong>" }
            .replacing(/`(.+?)`/) { "<code>\($0.1)</code>" }
    }
}
