import CZlib
import CloakroomCore

/// A status list of one bit per session: 1 is INVALID, 0 is VALID. The source of all of this is the Token Status List,
/// draft-ietf-oauth-status-list-20.
package struct StatusList: Sendable {
    /// The number of entries of each list of the issuer.
    package static let entries = 1 << 16
    /// `typ` (section 5.1).
    package static let type = "statuslist+jwt"

    /// The bytes of the list as `zlib` compresses them (section 4.1).
    let compressed: [UInt8]

    /// A list in which the entries with these indexes are INVALID.
    /// - Parameter entries: the length of the list, which all indexes are below.
    init(invalid indexes: some Sequence<Int>, entries: Int = Self.entries) throws {
        var bytes = [UInt8](repeating: 0, count: (entries + 7) / 8)
        // The least significant bit of a byte is the first one.
        for index in indexes { bytes[index / 8] |= 1 << UInt8(index % 8) }
        compressed = try Self.compress(bytes)
    }

    /// The claim `status_list` of the token that carries the list (section 4.2).
    var json: JSONValue {
        ["bits": 1, "lst": .string(Base64URL.encode(compressed))]
    }

    private struct CompressionFailed: Error {
        let code: Int32
    }

    private static func compress(_ bytes: [UInt8]) throws -> [UInt8] {
        var size = compressBound(uLong(bytes.count))
        var output = [UInt8](repeating: 0, count: Int(size))
        let code = compress2(&output, &size, bytes, uLong(bytes.count), Z_BEST_COMPRESSION)
        guard code == Z_OK else { throw CompressionFailed(code: code) }
        return Array(output.prefix(Int(size)))
    }
}
