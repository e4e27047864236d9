/// The target of a request in the one form that policy and backend both get.
///
/// Percent-encoded unreserved characters are decoded (RFC 3986 section 6.2.2.2), so that `/%61dmin` cannot pass by a rule
/// for `/admin`. Paths that servers resolve in different ways are refused: `//`, dot segments in any spelling, `%2f`,
/// `%5c`, `%25`, and control characters (CVE-2026-33494, CVE-2026-48020).
struct RequestTarget: Hashable, Sendable {
    /// The path for the backend.
    let path: String
    /// The path with every encoded character decoded and without path parameters (`/a;v=1/b` is `/a/b`), which Tomcat and
    /// Spring cut off; what patterns are compared with.
    let decodedPath: String
    /// With its question mark; empty without a query. As it came.
    let query: String
    /// The authority of a target in absolute form; nil for other forms.
    let authority: String?

    static let root = RequestTarget(path: "/", decodedPath: "/", query: "", authority: nil)

    private init(path: String, decodedPath: String, query: String, authority: String?) {
        self.path = path
        self.decodedPath = decodedPath
        self.query = query
        self.authority = authority
    }

    /// Path and query for the backend.
    var text: String { path + query }

    /// - Throws: `RequestFault.malformed`.
    init(_ bytes: UnsafeRawBufferPointer) throws(RequestFault) {
        var rest = bytes
        authority = try Self.takeAuthority(&rest)
        let end = rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.count
        query = try Self.readQuery(.init(rebasing: rest[end...]))
        let path = UnsafeRawBufferPointer(rebasing: rest[..<end])
        if path.isEmpty, authority != nil {
            (self.path, decodedPath) = ("/", "/")
            return
        }
        guard path.first == UInt8(ascii: "/") else { throw .malformed("the target must be a path") }
        guard !Self.isPlain(path) else {
            self.path = String(decoding: path, as: UTF8.self)
            decodedPath = try Self.withoutParameters(self.path)
            return
        }
        let (canonical, decoded) = try Self.canonical(path)
        self.path = canonical
        decodedPath = try Self.withoutParameters(decoded)
    }

    private static func takeAuthority(_ rest: inout UnsafeRawBufferPointer) throws(RequestFault) -> String? {
        guard let first = rest.first, first != UInt8(ascii: "/") else { return nil }
        for scheme in ["http://", "https://"] where rest.starts(with: scheme.utf8) {
            let behind = UnsafeRawBufferPointer(rebasing: rest[scheme.utf8.count...])
            let end = behind.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? behind.count
            rest = UnsafeRawBufferPointer(rebasing: behind[end...])
            guard end > 0, behind[..<end].allSatisfy(ByteClass.isOfAuthority) else {
                throw .malformed("the authority of the target is malformed")
            }
            return String(decoding: behind[..<end], as: UTF8.self)
        }
        throw .malformed("the target must be a path")
    }

    private static func readQuery(_ bytes: UnsafeRawBufferPointer) throws(RequestFault) -> String {
        for byte in bytes where !(0x21...0x7E ~= byte) || byte == UInt8(ascii: "#") {
            throw .malformed("the query has a character that must be encoded")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether the path needs no decoding and has no character that is refused.
    private static func isPlain(_ path: UnsafeRawBufferPointer) -> Bool {
        path.allSatisfy { byte in
            0x21...0x7E ~= byte && byte != UInt8(ascii: "%") && byte != UInt8(ascii: "\\")
                && byte != UInt8(ascii: "#")
        }
    }

    private static func canonical(
        _ bytes: UnsafeRawBufferPointer
    ) throws(RequestFault) -> (path: String, decoded: String) {
        var (path, decoded): ([UInt8], [UInt8]) = ([], [])
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            guard byte == UInt8(ascii: "%") else {
                guard 0x21...0x7E ~= byte, byte != UInt8(ascii: "\\"), byte != UInt8(ascii: "#") else {
                    throw .malformed("the path has a character that must be encoded")
                }
                path.append(byte)
                decoded.append(byte)
                index += 1
                continue
            }
            guard index + 2 < bytes.count, let high = ByteClass.hexadecimal(bytes[index + 1]),
                let low = ByteClass.hexadecimal(bytes[index + 2])
            else { throw .malformed("the path has a % without two digits") }
            let value = high << 4 | low
            guard isUnambiguous(value) else {
                throw .malformed("the path has an encoded /, \\, % or control character")
            }
            decoded.append(value)
            path.append(contentsOf: isUnreserved(value) ? [value] : encoded(high, low))
            index += 3
        }
        return (String(decoding: path, as: UTF8.self), String(decoding: decoded, as: UTF8.self))
    }

    private static func encoded(_ high: UInt8, _ low: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [UInt8(ascii: "%"), digits[Int(high)], digits[Int(low)]]
    }

    private static func isUnambiguous(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7F && byte != UInt8(ascii: "/") && byte != UInt8(ascii: "\\")
            && byte != UInt8(ascii: "%")
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// Refuses empty and dot segments, also in front of a path parameter (`..;`), and cuts the parameters off.
    private static func withoutParameters(_ path: String) throws(RequestFault) -> String {
        var rest = path.utf8.dropFirst()
        var hasParameters = false
        while true {
            let segment = rest.prefix { $0 != UInt8(ascii: "/") }
            let isLast = segment.endIndex == rest.endIndex
            let name = segment.prefix { $0 != UInt8(ascii: ";") }
            if name.isEmpty, !isLast || !segment.isEmpty { throw .malformed("the path has an empty segment") }
            if name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) {
                throw .malformed("the path has a dot segment")
            }
            hasParameters = hasParameters || name.endIndex != segment.endIndex
            if isLast { break }
            rest = rest[rest.index(after: segment.endIndex)...]
        }
        guard hasParameters else { return path }
        return path.split(separator: "/", omittingEmptySubsequences: false)
            .map { $0.prefix { $0 != ";" } }.joined(separator: "/")
    }
}
