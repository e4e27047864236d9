import Foundation

/// The syntax of a setting's values.
struct ValueSyntax<Value: Sendable>: Sendable {
    /// The placeholder of a value in `--help`, such as `seconds`.
    let placeholder: String
    /// The accepted values, as the end of the message "expected ...".
    let expected: String
    /// All values, if there are few of them.
    var words: [String] = []
    /// Parses a text; nil if it is invalid.
    let parse: @Sendable (String) -> Value?
    /// The text that `parse` reads as this value, or words such as `none` if no text means it.
    let write: @Sendable (Value) -> String
    /// The value again in a unit that is easier to read.
    var remark: @Sendable (Value) -> String? = { _ in nil }
    /// The part of a text that makes it invalid, and what it expects; nil if the message says what `expected` does.
    var fault: @Sendable (String) -> String? = { _ in nil }
}

extension ValueSyntax {
    /// The same syntax, with nil for a setting that is not given. No text means nil.
    func optional(_ absent: String = "none") -> ValueSyntax<Value?> {
        .init(
            placeholder: placeholder, expected: expected, words: words, parse: { parse($0).map { .some($0) } },
            write: { $0.map(write) ?? absent })
    }

    /// The same syntax, with one more word, which means nil.
    func or(_ word: String) -> ValueSyntax<Value?> {
        .init(
            placeholder: "\(placeholder)|\(word)", expected: "\(expected), or `\(word)`", words: words + [word],
            parse: { $0 == word ? .some(nil) : parse($0).map { .some($0) } }, write: { $0.map(write) ?? word })
    }

    /// Converts the syntax to another type.
    func map<Other>(
        _ forward: @escaping @Sendable (Value) -> Other?, _ back: @escaping @Sendable (Other) -> Value
    ) -> ValueSyntax<Other> {
        .init(
            placeholder: placeholder, expected: expected, words: words, parse: { parse($0).flatMap(forward) },
            write: { write(back($0)) })
    }

    /// A list of values, separated by commas; spaces around each are ignored.
    func list(expected: String) -> ValueSyntax<[Value]> {
        .init(
            placeholder: "\(placeholder),...", expected: expected,
            parse: { text in
                let items = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
                let values = items.filter { !$0.isEmpty }.map(parse)
                return values.contains { $0 == nil } ? nil : values.compactMap { $0 }
            },
            write: { $0.isEmpty ? "none" : $0.map(write).joined(separator: ",") })
    }

    /// A set of values, separated by commas.
    func set(expected: String) -> ValueSyntax<Set<Value>> where Value: Hashable {
        let list = list(expected: expected)
        return .init(
            placeholder: list.placeholder, expected: expected, parse: { list.parse($0).map { Set($0) } },
            write: { values in values.isEmpty ? "none" : values.map(write).sorted().joined(separator: ",") })
    }
}
