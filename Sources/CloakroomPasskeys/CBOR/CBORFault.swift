/// Why bytes are not the one CBOR encoding that the reader accepts.
package enum CBORFault: Error, Hashable, Sendable {
    case tooLong
    /// An item, or the length or count that it claims, goes beyond the end.
    case truncated
    case trailingBytes
    case indefiniteLength
    case notShortest
    /// A tag, a float, `undefined`, a simple value, or a reserved encoding.
    case unsupportedType
    case integerOutOfRange
    case invalidUTF8
    case tooDeep
    /// A key that is neither an integer nor text.
    case unsupportedKey
    case duplicateKey
    case unorderedKeys

    package var reason: String {
        switch self {
        case .tooLong: "longer than \(CBORReader.maximumSize) bytes"
        case .truncated: "an item goes beyond the end"
        case .trailingBytes: "something follows the item"
        case .indefiniteLength: "a length is indefinite"
        case .notShortest: "a number or a length is not in the shortest form"
        case .unsupportedType: "a tag, a float or a simple value that WebAuthn does not use"
        case .integerOutOfRange: "an integer does not fit 64 bits"
        case .invalidUTF8: "text is not UTF-8"
        case .tooDeep: "nested more than \(CBORReader.maximumDepth) levels deep"
        case .unsupportedKey: "a key is neither an integer nor text"
        case .duplicateKey: "a key stands twice"
        case .unorderedKeys: "keys are not in canonical order"
        }
    }
}
