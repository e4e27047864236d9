extension String {
    /// Whether the bytes of `text` are in it. `contains` of the standard library takes longer over a header than the whole
    /// check of a session, for it compares what people would call characters.
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
