/// How the end of a body is known (RFC 9112 section 6).
enum Framing: Hashable, Sendable {
    case length(Int)
    case chunked
    /// The end of the connection; responses alone.
    case close

    static let empty = Framing.length(0)
}

extension Framing {
    /// The longest length that is accepted: 2^60 bytes; sums of it do not overflow.
    private static let longest = 1 << 60

    /// Parses `Content-Length`: digits and nothing else (RFC 9110 section 8.6; CVE-2023-38697).
    static func length(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard 1...19 ~= bytes.count else { return nil }
        var length = 0
        for byte in bytes {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { return nil }
            let (product, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = product.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            guard !overflow, !overflows else { return nil }
            length = sum
        }
        return length <= longest ? length : nil
    }
}
