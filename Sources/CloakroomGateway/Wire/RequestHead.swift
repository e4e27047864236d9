import CloakroomCore
import NIOCore

/// The head of a request, validated byte by byte, with the positions of its parts.
///
/// The grammar is narrower than RFC 9112: what two servers may read differently is refused, so that the gateway's
/// decision and the backend concern the same request.
struct RequestHead: Sendable {
    /// From the request line to the empty line.
    let bytes: ByteBuffer
    let method: String
    let target: RequestTarget
    let lines: [FieldLine]
    let framing: Framing
    /// False for HTTP/1.0, and after `Connection: close`.
    let keepsConnection: Bool
    let isHTTP10: Bool
    /// Whether the client asks for a WebSocket (RFC 6455 section 4.1). Other upgrades are not offered to the backend.
    let asksForWebSocket: Bool
    /// Whether it offers any upgrade. Bytes behind such a request may be of another protocol.
    let offersUpgrade: Bool
    /// The authority of the target or of the `Host` header; nil for HTTP/1.0 without.
    let host: String?

    static let longestTarget = 8192
    static let maximumFields = 100

    /// - Throws: `RequestFault`.
    init(_ bytes: ByteBuffer) throws(RequestFault) {
        let parsed = try bytes.withUnsafeReadableBytes { bytes throws(RequestFault) in try Parts(bytes) }
        self.bytes = bytes
        method = parsed.method
        target = parsed.target
        lines = parsed.lines
        framing = parsed.framing
        isHTTP10 = parsed.isHTTP10
        keepsConnection = !parsed.isHTTP10 && !parsed.connection.closes
        offersUpgrade = parsed.hasUpgrade
        asksForWebSocket = parsed.namesWebSocket && parsed.connection.upgrades && parsed.method == "GET"
        host = parsed.host
    }

    /// The value of the first line of this kind.
    func first(_ kind: HeaderKind) -> String? {
        lines.first { $0.kind == kind }.map(text)
    }

    func values(_ kind: HeaderKind) -> [String] {
        lines.filter { $0.kind == kind }.map(text)
    }

    func contains(_ kind: HeaderKind) -> Bool {
        lines.contains { $0.kind == kind }
    }

    /// The trace of the request; nil if it has none. No rule depends on it, so the header is looked for when a line is
    /// logged.
    var trace: TraceID? {
        bytes.withUnsafeReadableBytes { bytes in
            let lines = lines.filter { line in
                let name = UnsafeRawBufferPointer(rebasing: bytes[line.name])
                return line.kind == .other && name.equalsIgnoringCase("traceparent")
            }
            return TraceID(traceparent: lines.map { String(decoding: bytes[$0.value], as: UTF8.self) })
        }
    }

    private func text(_ line: FieldLine) -> String {
        bytes.withUnsafeReadableBytes { String(decoding: $0[line.value], as: UTF8.self) }
    }
}

/// Why the gateway refuses a request before it looks at its route. The connection is closed: what follows on it cannot be
/// told apart from the body.
enum RequestFault: Error, Hashable, Sendable {
    case malformed(String)
    case headTooLarge, targetTooLong
    case versionNotSupported
    case notImplemented
    case expectationFailed
    case misdirected

    var denial: Denial {
        switch self {
        case .malformed(let reason): .invalidRequest(fields: ["request": reason])
        case .headTooLarge: .headTooLarge
        case .targetTooLong: .targetTooLong
        case .versionNotSupported: .versionNotSupported
        case .notImplemented: .notImplemented
        case .expectationFailed: .expectationFailed
        case .misdirected: .misdirectedRequest
        }
    }
}

/// The parts of a head, while it is read.
private struct Parts {
    var method = ""
    var target = RequestTarget.root
    var isHTTP10 = false
    var lines: [FieldLine] = []
    var framing = Framing.empty
    var connection = ConnectionOptions()
    var hasUpgrade = false
    var namesWebSocket = false
    var host: String?

    init(_ bytes: UnsafeRawBufferPointer) throws(RequestFault) {
        do {
            let end = try FieldLines.endOfLine(bytes, from: 0)
            try readRequestLine(.init(rebasing: bytes[..<end]))
            lines = try FieldLines.split(bytes, from: end + 2)
        } catch let fault as RequestFault {
            throw fault
        } catch {
            throw .malformed("the head does not follow the grammar of HTTP/1.1")
        }
        guard lines.count <= RequestHead.maximumFields else { throw .headTooLarge }
        try readFields(bytes)
        try checkHost()
        if isHTTP10 { try checkHTTP10() }
    }

    /// Method, target and version, with one space between.
    private mutating func readRequestLine(_ line: UnsafeRawBufferPointer) throws(RequestFault) {
        let space = UInt8(ascii: " ")
        guard let first = line.firstIndex(of: space), let last = line.lastIndex(of: space), first < last else {
            throw .malformed("the request line must have a method, a target and a version")
        }
        let name = UnsafeRawBufferPointer(rebasing: line[..<first])
        guard Self.isMethod(name) else { throw .malformed("the method is malformed") }
        method = String(decoding: name, as: UTF8.self)
        try readVersion(.init(rebasing: line[(last + 1)...]))
        guard method != "CONNECT", method != "TRACE" else { throw .notImplemented }
        let target = UnsafeRawBufferPointer(rebasing: line[(first + 1)..<last])
        guard target.count <= RequestHead.longestTarget else { throw .targetTooLong }
        self.target = try RequestTarget(target)
    }

    /// Methods are compared with case (RFC 9110 section 9.1), but some backends run `post` as POST: a rule for POST would
    /// not apply to it.
    private static func isMethod(_ name: UnsafeRawBufferPointer) -> Bool {
        1...32 ~= name.count
            && name.allSatisfy {
                UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
    }

    private mutating func readVersion(_ version: UnsafeRawBufferPointer) throws(RequestFault) {
        if version.elementsEqual("HTTP/1.1".utf8) { return }
        guard version.count == 8, version.starts(with: "HTTP/".utf8), version[6] == UInt8(ascii: ".") else {
            throw .malformed("the version is malformed")
        }
        guard version.elementsEqual("HTTP/1.0".utf8) else { throw .versionNotSupported }
        isHTTP10 = true
    }

    private mutating func readFields(_ bytes: UnsafeRawBufferPointer) throws(RequestFault) {
        var length: Int?
        var isChunked = false
        for line in lines {
            let value = UnsafeRawBufferPointer(rebasing: bytes[line.value])
            switch line.kind {
            case .host:
                guard host == nil else { throw .malformed("Host must be there once") }
                host = String(decoding: value, as: UTF8.self)
            case .contentLength:
                guard length == nil, !line.hasTabBehindValue(bytes), let parsed = Framing.length(value) else {
                    throw .malformed("Content-Length must be a number, once")
                }
                length = parsed
            case .transferEncoding:
                // Any other coding would have to be undone to know what the body is (RFC 9112 section 6.1).
                guard !isChunked, !line.hasTabBehindValue(bytes), value.equalsIgnoringCase("chunked") else {
                    throw .notImplemented
                }
                isChunked = true
            case .connection: try connection.read(value)
            case .upgrade:
                hasUpgrade = true
                namesWebSocket = value.equalsIgnoringCase("websocket")
            case .expect:
                guard value.equalsIgnoringCase("100-continue") else { throw .expectationFailed }
            case .cookie, .authorization, .origin, .secFetchSite, .secFetchMode, .serviceWorker,
                .secWebSocketKey, .referer, .upgradeInsecureRequests, .accept, .userAgent,
                .accessControlRequestMethod, .xsrfToken, .forwardedFor, .setCookie, .cacheControl, .hopByHop,
                .forged, .other:
                break
            }
        }
        // Proxies disagree about which of the two counts (RFC 9112 section 6.1; CVE-2026-2835).
        guard length == nil || !isChunked else {
            throw .malformed("Content-Length and Transfer-Encoding came together")
        }
        framing = isChunked ? .chunked : .length(length ?? 0)
    }

    /// The authority of a target in absolute form counts, not the header (RFC 9112 section 3.2.2).
    private mutating func checkHost() throws(RequestFault) {
        guard let header = host else {
            guard isHTTP10 else { throw .malformed("Host must be there once") }
            return
        }
        guard header.utf8.allSatisfy(ByteClass.isOfAuthority), !header.isEmpty else {
            throw .malformed("Host is malformed")
        }
        if let authority = target.authority { host = authority }
    }

    /// HTTP/1.0 is served to load balancers that ask for the server's health, and to nobody else: its rules for
    /// persistent connections and bodies differ from server to server.
    private func checkHTTP10() throws(RequestFault) {
        let isHealthCheck = target.path == "/healthz" || target.path == "/readyz"
        guard isHealthCheck, method == "GET" || method == "HEAD", framing == .empty else { throw .versionNotSupported }
    }
}

/// The options of `Connection` headers (RFC 9110 section 7.6.1).
struct ConnectionOptions: Hashable, Sendable {
    private(set) var closes = false
    private(set) var upgrades = false

    /// - Throws: `RequestFault` for an option that names an end-to-end header: a proxy behind us would remove that header,
    ///   ours included (CVE-2022-31813, GHSA-w9mr-28mw-j8hg).
    mutating func read(_ value: UnsafeRawBufferPointer) throws(RequestFault) {
        for part in value.split(separator: UInt8(ascii: ",")) {
            let option = UnsafeRawBufferPointer(rebasing: part).trimmed
            if option.equalsIgnoringCase("close") {
                closes = true
            } else if option.equalsIgnoringCase("upgrade") {
                upgrades = true
            } else if !option.isEmpty, !Self.isOfConnection(option) {
                throw .malformed("Connection names a header that is not of the connection")
            }
        }
    }

    private static func isOfConnection(_ name: UnsafeRawBufferPointer) -> Bool {
        let kind = HeaderKind(name)
        return kind == .hopByHop || kind == .connection
    }
}

extension UnsafeRawBufferPointer {
    /// Without the spaces and tabs around.
    var trimmed: UnsafeRawBufferPointer {
        var (start, end) = (0, count)
        while start < end, self[start] == 0x20 || self[start] == 0x09 { start += 1 }
        while end > start, self[end - 1] == 0x20 || self[end - 1] == 0x09 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }
}
