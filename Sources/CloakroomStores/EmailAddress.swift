/// An e-mail address in the one spelling that names an account: ASCII, lower case.
///
/// Other scripts are refused rather than folded: two addresses that look or normalise alike must never be one account
/// (CVE-2019-19844, GHSA-7rqj-j65f-68wh), nor one address be read as two (CVE-2022-35924).
public struct EmailAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address in lower-case ASCII.
    public let rawValue: String

    /// nil for anything but one plain address.
    public init?(parsing text: String) {
        let bytes = Array(text.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard bytes.count <= 254, parts.count == 2, 1...64 ~= parts[0].count, !parts[1].isEmpty else { return nil }
        guard Self.isDotted(parts[0], allowing: "!#$%&'*+-/=?^_`{|}~"), Self.isDotted(parts[1], allowing: "-") else {
            return nil
        }
        rawValue = text.lowercased()
    }

    private static func isDotted(_ part: ArraySlice<UInt8>, allowing extra: String) -> Bool {
        let allowed = Set(extra.utf8)
        return part.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty
                && atom.allSatisfy { byte in
                    UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                        || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || allowed.contains(byte)
                }
        }
    }

    /// The address in lower-case ASCII.
    public var description: String { rawValue }
}
