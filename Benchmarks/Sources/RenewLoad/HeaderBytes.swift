/// The header names and values that the reader looks for, in lower case.
enum HeaderName {
    static let contentLength = Array("content-length".utf8)
    static let transferEncoding = Array("transfer-encoding".utf8)
    static let connection = Array("connection".utf8)
    static let setCookie = Array("set-cookie".utf8)
    static let chunked = Array("chunked".utf8)
    static let close = Array("close".utf8)
    static let session = Array("\(Delivery.cookieName)=".utf8)
}

extension ArraySlice<UInt8> {
    /// The value after the colon, if this header has the name.
    func value(of name: [UInt8]) -> ArraySlice<UInt8>? {
        guard count > name.count, self[startIndex + name.count] == UInt8(ascii: ":"), prefix(name.count).isWord(name)
        else { return nil }
        return dropFirst(name.count + 1).drop { $0 == UInt8(ascii: " ") }
    }

    /// Whether the bytes equal the word, in any case.
    func isWord(_ word: [UInt8]) -> Bool {
        count == word.count && zip(self, word).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    }

    func number(radix: Int = 10) -> Int? {
        guard !isEmpty, count <= 15 else { return nil }
        var number = 0
        for byte in self {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue, digit < radix else { return nil }
            number = number * radix + digit
        }
        return number
    }
}
