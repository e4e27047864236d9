import CloakroomCore
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
        let account = email.rawValue.prefix { $0 != "@" }
        let folded = text.lowercased()
        if folded == email.rawValue || folded.filter(\.isLetter) == account.filter(\.isLetter), account.count >= 4 {
            return "must not be the e-mail address"
        }
        return nil
    }

    /// `aaaaaaaa`, `12345678`, `abcdefgh`: every step is the same.
    private static func isMonotonous(_ text: String) -> Bool {
        let values = text.unicodeScalars.map { Int($0.value) }
        let steps = Set(zip(values, values.dropFirst()).map { $1 - $0 })
        return steps.count <= 1 && (steps.first.map { abs($0) <= 1 } ?? true)
    }
}
