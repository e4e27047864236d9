/// A pattern of paths: literal segments, `*` for any one segment, and a last `/*` for everything below.
///
/// `/api/*` matches `/api`, `/api/` and `/api/notes`: a rule for an area that leaves out the area's own address would
/// leave it to the next rule.
package struct PathPattern: Hashable, Sendable, CustomStringConvertible {
    fileprivate enum Segment: Hashable, Sendable {
        case literal(String)
        case any
    }

    private let segments: [Segment]
    private let coversBelow: Bool
    package let description: String

    /// - Parameter text: a path such as `/`, `/login`, `/users/*/photo` or `/api/*`; nil for anything else, such as a
    ///   `*` inside a segment.
    package init?(parsing text: String) {
        // Path parameters are cut off before a path is compared.
        guard let target = try? RequestTarget(text), text == target.path, target.query.isEmpty, !text.contains(";")
        else { return nil }
        var parts = target.decodedPath.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(
            String.init)
        coversBelow = parts.last == "*"
        if coversBelow { parts.removeLast() }
        guard parts.allSatisfy({ $0 == "*" || !$0.contains("*") }), !text.contains("%2A") else { return nil }
        segments = parts.map { $0 == "*" ? .any : .literal($0) }
        description = text
    }

    /// The part before `/*`, without a final slash; nil for patterns of another shape.
    package var prefix: String? {
        coversBelow && !segments.contains(.any) ? String(description.dropLast(2)) : nil
    }

    /// Whether our own endpoints take every path that matches.
    var isOwn: Bool {
        guard coversBelow else { return !segments.contains(.any) && OwnPaths.contain(description) }
        return segments.first == .literal("auth")
    }

    /// - Parameter path: a decoded canonical path.
    package func matches(_ path: String) -> Bool {
        var rest = path.utf8.dropFirst()
        var isAtEnd = false
        for segment in segments {
            guard !isAtEnd else { return false }
            let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
            guard segment.matches(rest[..<end]) else { return false }
            isAtEnd = end == rest.endIndex
            rest = isAtEnd ? rest[end...] : rest[rest.index(after: end)...]
        }
        return isAtEnd || coversBelow
    }

    /// Whether every path that `other` matches is one of this pattern's.
    package func covers(_ other: PathPattern) -> Bool {
        guard segments.count <= other.segments.count else { return false }
        guard coversBelow || segments.count == other.segments.count && !other.coversBelow else { return false }
        return zip(segments, other.segments).allSatisfy { $0 == .any || $0 == $1 }
    }
}

extension PathPattern.Segment {
    fileprivate func matches(_ text: Substring.UTF8View) -> Bool {
        switch self {
        case .any: !text.isEmpty
        case .literal(let literal): text.elementsEqual(literal.utf8)
        }
    }
}

extension RequestTarget {
    /// - Throws: `RequestFault.malformed`.
    init(_ text: String) throws(RequestFault) {
        let bytes = Array(text.utf8)
        let result = bytes.withUnsafeBytes { bytes in Result { () throws(RequestFault) in try RequestTarget(bytes) } }
        self = try result.get()
    }
}
