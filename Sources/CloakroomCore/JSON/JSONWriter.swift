extension JSONValue {
    /// The value as compact UTF-8 text; the same value always gives the same bytes.
    package var serialized: [UInt8] {
        var output: [UInt8] = []
        write(to: &output)
        return output
    }

    /// The same value in ASCII: all other characters as `\u` escapes of their UTF-16 units.
    package var serializedInASCII: [UInt8] {
        let plain = serialized
        guard !plain.allSatisfy({ $0 < 0x80 }) else { return plain }
        var output: [UInt8] = []
        for unit in String(decoding: plain, as: UTF8.self).utf16 {
            if let byte = UInt8(exactly: unit), byte < 0x80 {
                output.append(byte)
            } else {
                output.append(contentsOf: "\\u".utf8)
                for shift in [12, 8, 4, 0] { output.append(Self.hexadecimal[Int(unit >> shift) & 15]) }
            }
        }
        return output
    }

    private func write(to output: inout [UInt8]) {
        switch self {
        case .object(let object):
            Self.write(object.members, between: "{", and: "}", to: &output) { member, output in
                Self.write(member.name, to: &output)
                output.append(UInt8(ascii: ":"))
                member.value.write(to: &output)
            }
        case .array(let array):
            Self.write(array, between: "[", and: "]", to: &output) { $0.write(to: &$1) }
        case .string(let string): Self.write(string, to: &output)
        case .integer(let value): output.append(contentsOf: String(value).utf8)
        case .number(let value): output.append(contentsOf: (value.isFinite ? String(value) : "null").utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .null: output.append(contentsOf: "null".utf8)
        }
    }

    private static func write<Element>(
        _ elements: [Element], between open: Unicode.Scalar, and close: Unicode.Scalar, to output: inout [UInt8],
        _ write: (Element, inout [UInt8]) -> Void
    ) {
        output.append(UInt8(ascii: open))
        for (position, element) in elements.enumerated() {
            if position > 0 { output.append(UInt8(ascii: ",")) }
            write(element, &output)
        }
        output.append(UInt8(ascii: close))
    }

    private static func write(_ string: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.append(UInt8(ascii: "\\"))
                output.append(byte)
            case 0..<0x20, 0x7F:
                output.append(contentsOf: "\\u00".utf8)
                output.append(hexadecimal[Int(byte >> 4)])
                output.append(hexadecimal[Int(byte & 15)])
            default:
                output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)
}
