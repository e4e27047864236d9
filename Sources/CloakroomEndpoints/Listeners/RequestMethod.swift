/// Recognizes the method HEAD in the first bytes of a request, for refusals of heads that the decoder cannot read: a
/// client would take the body of the refusal for the next response on the connection.
struct RequestMethod {
    private static let head = Array("HEAD ".utf8)
    /// How many bytes of `HEAD ` have arrived; nil after a byte that is not one of them.
    private var matched: Int? = 0

    var isHead: Bool { matched == Self.head.count }

    /// - Parameter bytes: what follows the last piece. Empty lines before a request are skipped (RFC 9112 section 2.2).
    mutating func receive(_ bytes: some Collection<UInt8>) {
        for byte in bytes {
            guard let matched, matched < Self.head.count else { return }
            if matched == 0, byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n") { continue }
            self.matched = byte == Self.head[matched] ? matched + 1 : nil
        }
    }
}
