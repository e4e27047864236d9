extension String {
    /// Whether the string contains the bytes of `text`. The standard library's `contains` compares grapheme clusters;
    /// on one header it takes longer than the whole check of a session.
    package func containsASCII(_ text: StaticString) -> Bool {
        var copy = self
        return copy.withUTF8 { bytes in
            text.withUTF8Buffer { text in
                bytes.count >= text.count
                    && (0...bytes.count - text.count).contains { start in
                        bytes[start] == text[0] && bytes[start..<start + text.count].elementsEqual(text)
                    }
            }
        }
    }
}
