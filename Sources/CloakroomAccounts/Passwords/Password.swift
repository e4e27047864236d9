import CloakroomCore
package import CloakroomStores
import Foundation

/// A password as a person typed it, in Unicode normalization form C: two keyboards that compose `é` differently must
/// give the same password (NIST SP 800-63B section 3.1.1.2). It is not changed in any other way.
package struct Password: Sendable {
    let secret: Secret

    /// The longest password that is accepted, in Unicode code points.
    package static let maximumLength = 256
    /// The shortest password that may be chosen, in Unicode code points.
    package static let minimumLength = 8

    /// Returns nil for a text longer than `maximumLength`.
    package init?(_ text: String) {
        // Checked before normalization, whose time grows with the length: a password of a megabyte must not cost that
        // time.
        guard text.utf8.count <= Self.maximumLength * 4 else { return nil }
        let normalized = text.precomposedStringWithCanonicalMapping
        guard normalized.unicodeScalars.count <= Self.maximumLength else { return nil }
        secret = Secret(Array(normalized.utf8))
    }

    /// The reason why this password may not be chosen, as a text to show; nil if it may.
    package func objection(for email: EmailAddress) -> String? {
        let text = String(decoding: secret.bytes, as: UTF8.self)
        if text.unicodeScalars.count < Self.minimumLength {
            return "must be at least \(Self.minimumLength) characters long"
        }
        if CommonPasswords.contains(text) || Self.isMonotonous(text) {
            return "is too common: attackers try it first"
        }
        if Self.isMade(text, of: email) { return "must not be the e-mail address" }
        return nil
    }

    /// Whether the password is the e-mail address or a part of it in another form: in capitals, without punctuation,
    /// with digits and punctuation around it, or repeated. Of a part, at least three characters must remain without
    /// the digits at its ends.
    private static func isMade(_ text: String, of email: EmailAddress) -> Bool {
        let local = email.rawValue.prefix { $0 != "@" }
        let domain = email.rawValue.drop { $0 != "@" }.dropFirst()
        let parts = [Substring(email.rawValue), local, local.prefix { $0 != "+" }, domain].map(stem)
        let (password, core) = (stem(text), core(of: stem(text)))
        return parts.contains { part in
            !part.isEmpty && password == part || isRepetition(core, of: self.core(of: part))
        }
    }

    /// Only the letters and digits, in lower case.
    private static func stem(_ text: some StringProtocol) -> String {
        text.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    /// The text without the digits at both ends.
    private static func core(of stem: String) -> String {
        String(stem.drop { $0.isNumber }.reversed().drop { $0.isNumber }.reversed())
    }

    private static func isRepetition(_ text: String, of part: String) -> Bool {
        guard part.count >= 3, !text.isEmpty, text.count.isMultiple(of: part.count) else { return false }
        return text == String(repeating: part, count: text.count / part.count)
    }

    /// Whether all steps between code points are the same, and at most 1: `aaaaaaaa`, `12345678`, `abcdefgh`.
    private static func isMonotonous(_ text: String) -> Bool {
        let values = text.unicodeScalars.map { Int($0.value) }
        let steps = Set(zip(values, values.dropFirst()).map { $1 - $0 })
        return steps.count <= 1 && (steps.first.map { abs($0) <= 1 } ?? true)
    }
}
