/// The id of a trace, by which log lines of several servers are joined (W3C Trace Context).
package struct TraceID: Hashable, Sendable, CustomStringConvertible {
    /// 32 lower-case hex digits.
    package let description: String

    /// The trace of the request that the current task serves; nil without one.
    @TaskLocal package static var current: TraceID?

    /// Reads the values of the header `traceparent`, such as `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`.
    /// - Returns: nil unless there is one value, and it is valid (sections 3.2 and 3.3).
    package init?(traceparent values: [String]) {
        guard values.count == 1 else { return nil }
        let bytes = Array(values[0].utf8)
        guard bytes.count >= 55, [2, 35, 52].allSatisfy({ bytes[$0] == UInt8(ascii: "-") }) else { return nil }
        let (version, trace, parent, flags) = (bytes[..<2], bytes[3..<35], bytes[36..<52], bytes[53..<55])
        guard (version + trace + parent + flags).allSatisfy(Self.isHex), !Self.isZero(trace), !Self.isZero(parent),
            Self.isKnown(version, length: bytes.count, next: bytes.dropFirst(55).first)
        else { return nil }
        description = String(decoding: trace, as: UTF8.self)
    }

    /// Version 0 has no more fields. A later one may append some, and does not change these.
    private static func isKnown(_ version: ArraySlice<UInt8>, length: Int, next: UInt8?) -> Bool {
        switch String(decoding: version, as: UTF8.self) {
        case "ff": false
        case "00": length == 55
        default: next == nil || next == UInt8(ascii: "-")
        }
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
    }

    private static func isZero(_ digits: ArraySlice<UInt8>) -> Bool {
        digits.allSatisfy { $0 == UInt8(ascii: "0") }
    }
}
