/// Reads the lines of a stream of server-sent events (HTML standard, section 9.2.6).
struct EventStreamParser {
    enum Item: Hashable {
        case comment
        /// `id` is nil for an event without one.
        case event(name: String, data: [UInt8], id: String?)
    }

    private var line: [UInt8] = []
    private var name = ""
    private var data: [UInt8]?
    private var id: String?
    /// Whether the last byte was CR: an LF after it ends no second line.
    private var sawReturn = false
    /// The maximum size of an event, in bytes.
    private static let maximumSize = 65536

    /// - Throws: `IssuerFailure` for an event that is too long.
    mutating func read(_ bytes: some Sequence<UInt8>) throws -> [Item] {
        var items: [Item] = []
        for byte in bytes {
            let isEndOfReturn = sawReturn && byte == UInt8(ascii: "\n")
            sawReturn = byte == UInt8(ascii: "\r")
            if isEndOfReturn { continue }
            guard byte == UInt8(ascii: "\n") || sawReturn else {
                guard line.count + (data?.count ?? 0) < Self.maximumSize else {
                    throw IssuerFailure("an event is longer than \(Self.maximumSize) bytes")
                }
                line.append(byte)
                continue
            }
            if let item = endLine() { items.append(item) }
        }
        return items
    }

    private mutating func endLine() -> Item? {
        defer { line.removeAll(keepingCapacity: true) }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return line.isEmpty ? endEvent() : nil }
        if colon == 0 { return .comment }
        var value = line[(colon + 1)...]
        if value.first == UInt8(ascii: " ") { value.removeFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "event": name = String(decoding: value, as: UTF8.self)
        case "data": data = (data.map { $0 + [UInt8(ascii: "\n")] } ?? []) + value
        case "id": id = String(decoding: value, as: UTF8.self)
        default: break  // `retry`, and fields that a later version may add
        }
        return nil
    }

    /// - Returns: nil for an event without data, which the standard leaves out.
    private mutating func endEvent() -> Item? {
        defer { (name, data, id) = ("", nil, nil) }
        return data.map { .event(name: name, data: $0, id: id) }
    }
}
