import CloakroomCore
package import CloakroomStores
import Foundation

/// A password as a person typed it, in Unicode normalization form C: two keyboards that compose `é` differently must
/// give the same password (NIST SP 800-63B section 3.1.1.2). Otherwise it is taken exactly as received.
package struct Password: Sendable {
    let secret: Secret

    /// The longest password that is looked at, in Unicode code points.
    package static let maximumLength = 256
    /// The shortest that may be chosen.
    package static let minimumLength = 8

    /// nil when it is too long to be anyone's.
    package init?(_ text: String) {
        // Before normalization, which costs time in proportion: a megabyte of password is refused unread.
        guard text.utf8.count <= Self.maximumLength * 4 else { return nil }
        let normalized = text.precomposedStringWithCanonicalMapping
        guard normalized.unicodeScalars.count <= Self.maximumLength else { return nil }
        secret = Secret(Array(normalized.utf8))
    }

    /// Why this password may not be chosen, as the sentence to show; nil when it may.
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

    /// Whether the password is the address or a part of it, written otherwise: in capitals, without its signs, with digits
    /// and signs around it, several times. What is left of a part without digits must be three letters long to count.
    private static func isMade(_ text: String, of email: EmailAddress) -> Bool {
        let local = email.rawValue.prefix { $0 != "@" }
        let domain = email.rawValue.drop { $0 != "@" }.dropFirst()
        let parts = [Substring(email.rawValue), local, local.prefix { $0 != "+" }, domain].map(stem)
        let (password, core) = (stem(text), core(of: stem(text)))
        return parts.contains { part in
            !part.isEmpty && password == part || isRepetition(core, of: self.core(of: part))
        }
    }

    /// Letters and digits alone, in lower case.
    private static func stem(_ text: some StringProtocol) -> String {
        text.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    /// Without the digits at both ends.
    private static func core(of stem: String) -> String {
        String(stem.drop { $0.isNumber }.reversed().drop { $0.isNumber }.reversed())
    }

    private static func isRepetition(_ text: String, of part: String) -> Bool {
        guard part.count >= 3, !text.isEmpty, text.count.isMultiple(of: part.count) else { return false }
        return text == String(repeating: part, count: text.count / part.count)
    }

    /// `aaaaaaaa`, `12345678`, `abcdefgh`: every step is the same.
    private static func isMonotonous(_ text: String) -> Bool {
        let values = text.unicodeScalars.map { Int($0.value) }
        let steps = Set(zip(values, values.dropFirst()).map { $1 - $0 })
        return steps.count <= 1 && (steps.first.map { abs($0) <= 1 } ?? true)
    }
}
