/// Follows the extensions behind a chunk's size: `;name`, `;name=token` and `;name="text"` (RFC 9112 section 7.1.1).
///
/// They mean nothing to any client, but a parser that ends them at another place takes data for framing.
struct ChunkExtension: Hashable, Sendable {
    private enum State: Hashable {
        case nameStart, name, valueStart, value, quoted, escaped, quoteEnd
    }

    private var state = State.nameStart
    private var length = 0
    private static let longest = 1024

    /// Whether the line may end here.
    var isComplete: Bool { state == .name || state == .value || state == .quoteEnd }

    /// Takes a byte behind the first semicolon.
    mutating func take(_ byte: UInt8) throws(ChunkedBody.Malformed) {
        length += 1
        guard length <= Self.longest, let next = following(byte) else { throw ChunkedBody.Malformed() }
        state = next
    }

    private func following(_ byte: UInt8) -> State? {
        switch (state, byte) {
        case (.name, UInt8(ascii: "=")): .valueStart
        case (.name, UInt8(ascii: ";")), (.value, UInt8(ascii: ";")), (.quoteEnd, UInt8(ascii: ";")): .nameStart
        case (.valueStart, UInt8(ascii: "\"")): .quoted
        case (.nameStart, _), (.name, _): ByteClass.isToken(byte) ? .name : nil
        case (.valueStart, _), (.value, _): ByteClass.isToken(byte) ? .value : nil
        case (.quoted, UInt8(ascii: "\"")): .quoteEnd
        case (.quoted, UInt8(ascii: "\\")): .escaped
        case (.quoted, _), (.escaped, _): ByteClass.isFieldText(byte) ? .quoted : nil
        case (.quoteEnd, _): nil
        }
    }
}
