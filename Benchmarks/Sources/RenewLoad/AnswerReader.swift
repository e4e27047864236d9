/// Reads responses from a connection, and reuses one buffer.
final class AnswerReader {
    private(set) var status = 0
    private(set) var body: [UInt8] = []
    /// The value of the session cookie, if the response sets it.
    private(set) var cookie: [UInt8]?
    private(set) var closes = false
    /// Whether any byte of the response has arrived.
    var hasBegun: Bool { end > 0 }

    private var buffer = [UInt8](repeating: 0, count: 16 * 1024)
    private var position = 0
    private var end = 0
    private var length: Int?
    private var isChunked = false

    private static let lineFeed = UInt8(ascii: "\n")

    /// Clears the last response. The caller calls it before the next request.
    func reset() {
        (status, position, end, length) = (0, 0, 0, nil)
        (cookie, closes, isChunked) = (nil, false, false)
        body.removeAll(keepingCapacity: true)
    }

    func read(from connection: borrowing Connection) throws(Broken) {
        try readHead(from: connection)
        if isChunked {
            try readChunks(from: connection)
        } else if let length {
            body += try take(length, from: connection)
        } else if status != 204, status != 304 {
            closes = true
            while try fill(from: connection) {}
            body += buffer[position..<end]
        }
    }

    private func readHead(from connection: borrowing Connection) throws(Broken) {
        let first = try line(from: connection)
        guard first.count >= 12, let number = buffer[(first.lowerBound + 9)..<(first.lowerBound + 12)].number() else {
            throw .garbled
        }
        status = number
        while true {
            let header = try line(from: connection)
            if header.isEmpty { return }
            note(buffer[header])
        }
    }

    private func note(_ header: ArraySlice<UInt8>) {
        if let value = header.value(of: HeaderName.contentLength) {
            length = value.number()
        } else if let value = header.value(of: HeaderName.transferEncoding) {
            isChunked = value.isWord(HeaderName.chunked)
        } else if let value = header.value(of: HeaderName.connection) {
            closes = value.isWord(HeaderName.close)
        } else if let value = header.value(of: HeaderName.setCookie), value.starts(with: HeaderName.session) {
            cookie = Array(value.dropFirst(HeaderName.session.count).prefix { $0 != UInt8(ascii: ";") })
        }
    }

    private func readChunks(from connection: borrowing Connection) throws(Broken) {
        while true {
            let size = try line(from: connection)
            guard let count = buffer[size].prefix(while: { $0 != UInt8(ascii: ";") }).number(radix: 16) else {
                throw .garbled
            }
            body += try take(count, from: connection)
            _ = try line(from: connection)
            if count == 0 { return }
        }
    }

    /// The next line, without its line end.
    private func line(from connection: borrowing Connection) throws(Broken) -> Range<Int> {
        var searched = position
        while true {
            if let found = buffer[searched..<end].firstIndex(of: Self.lineFeed) {
                let start = position
                position = found + 1
                return start..<max(start, found - 1)
            }
            searched = end
            guard try fill(from: connection) else { throw .closed }
        }
    }

    private func take(_ count: Int, from connection: borrowing Connection) throws(Broken) -> ArraySlice<UInt8> {
        while end - position < count {
            guard try fill(from: connection) else { throw .closed }
        }
        defer { position += count }
        return buffer[position..<(position + count)]
    }

    /// - Returns: whether more bytes arrived.
    private func fill(from connection: borrowing Connection) throws(Broken) -> Bool {
        if end == buffer.count { buffer += [UInt8](repeating: 0, count: buffer.count) }
        let count = try connection.receive(into: &buffer, from: end)
        end += count
        return count > 0
    }
}
