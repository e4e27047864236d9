import CloakroomCore
import Foundation

extension ValueSyntax where Value == String {
    /// Any text that is not empty.
    static func text(_ placeholder: String, expected: String) -> Self {
        .init(placeholder: placeholder, expected: expected, parse: { $0.isEmpty ? nil : $0 }, write: { $0 })
    }

    /// The path of a file. A relative one counts from the working directory, also for commands that run elsewhere later.
    static func file(_ placeholder: String) -> Self {
        .init(
            placeholder: placeholder, expected: "a file", parse: { $0.isEmpty ? nil : absolute($0) }, write: { $0 })
    }

    /// A name that tokens contain. Its length is bounded, so that the cookie stays within its size limit.
    static var identifier: Self {
        .init(
            placeholder: "name", expected: "1 to 128 printable characters",
            parse: { text in
                let isPrintable = text.utf8.allSatisfy { 0x21...0x7E ~= $0 }
                return isPrintable && 1...128 ~= text.utf8.count ? text : nil
            }, write: { $0 })
    }
}

extension ValueSyntax where Value == Int {
    static func number(_ range: ClosedRange<Int>, _ placeholder: String = "number", expected: String? = nil) -> Self {
        .init(
            placeholder: placeholder,
            expected: expected ?? "a number from \(range.lowerBound) to \(range.upperBound)",
            parse: { text in Int(text).flatMap { range ~= $0 ? $0 : nil } }, write: { "\($0)" })
    }
}

extension ValueSyntax where Value == Span {
    /// The longest lifetime of a cookie in browsers.
    private static var longest: Span { .days(400) }

    /// A duration greater than 0.
    static var lifetime: Self {
        seconds(Span(milliseconds: 1)...longest, expected: "seconds, more than 0 and at most 400 days, such as 2.5")
    }

    /// A duration of 0 or more.
    static var delay: Self {
        seconds(.zero...longest, expected: "seconds, 0 or more and at most 400 days, such as 2.5")
    }

    /// Seconds with up to three decimals.
    static func seconds(_ range: ClosedRange<Span>, expected: String) -> Self {
        .init(
            placeholder: "seconds", expected: expected,
            parse: { text in
                guard let seconds = Double(text), 0...34_560_000 ~= seconds else { return nil }
                let span = Span(milliseconds: Int64((seconds * 1000).rounded()))
                return range ~= span ? span : nil
            },
            write: { span in
                let isWhole = span.milliseconds % 1000 == 0
                return isWhole ? "\(span.wholeSeconds)" : "\(Double(span.milliseconds) / 1000)"
            },
            remark: { span in
                let days = span.milliseconds / Span.days(1).milliseconds
                return days > 1 && Span.days(days) == span ? "\(days) days" : nil
            })
    }
}

extension ValueSyntax where Value == Bool {
    static var trueOrFalse: Self {
        .init(
            placeholder: "true|false", expected: "`true` or `false`", words: ["true", "false"],
            parse: { text in
                switch text {
                case "true", "1", "yes", "on": true
                case "false", "0", "no", "off", "": false
                default: nil
                }
            }, write: { "\($0)" })
    }

    /// A Boolean with two words of its own.
    static func words(_ yes: String, _ no: String) -> Self {
        .init(
            placeholder: "\(yes)|\(no)", expected: "`\(yes)` or `\(no)`", words: [yes, no],
            parse: { $0 == yes ? true : $0 == no ? false : nil }, write: { $0 ? yes : no })
    }
}

extension ValueSyntax where Value: RawRepresentable<String> & Equatable {
    /// One of `values`, by its raw value.
    static func one(of values: [Value], _ placeholder: String? = nil) -> Self {
        let words = values.map(\.rawValue)
        let quoted = words.map { "`\($0)`" }
        return .init(
            placeholder: placeholder ?? words.joined(separator: "|"),
            expected: quoted.dropLast().joined(separator: ", ") + " or " + (quoted.last ?? ""), words: words,
            parse: { text in values.first { $0.rawValue == text } }, write: \.rawValue)
    }
}

/// The path from the root.
func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
}
