import NIOCore

/// A request or a response as a decoder has read it.
struct Message: Hashable {
    /// Method and target, or the status.
    var start: String
    var fields: [Field] = []
    /// Without its framing.
    var body: [UInt8] = []
    var isComplete = false

    struct Field: Hashable {
        var name: String
        var value: String
    }
}

extension Message.Field {
    init(_ line: FieldLine, in bytes: UnsafeRawBufferPointer) {
        name = String(decoding: bytes[line.name], as: UTF8.self)
        value = String(decoding: bytes[line.value], as: UTF8.self)
    }
}

/// What the gateway's grammar makes of a connection's bytes.
struct Reading: Hashable {
    /// Up to the first that is refused, and without it.
    var messages: [Message] = []
    /// What the other decoder is given: the bytes of the messages. Unknown methods are replaced by POST, since NIO knows a
    /// fixed list and the gateway leaves that to the backend.
    var accepted: [UInt8] = []
    /// Whether another message may follow on the connection.
    var isOpen = true
    /// Of requests alone, as they are sent to the backend.
    var methods: [String] = []
    var targets: [RequestTarget] = []
}

/// The places where a connection's bytes are cut into segments. They follow from the bytes alone, so that a file of the
/// corpus is what a peer would send, and a failure can be repeated.
struct Segments: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>
    private var random: UInt64
    private let isWhole: Bool

    /// - Parameter salt: 0 for one segment; each other number gives other places.
    init(_ bytes: [UInt8], salt: UInt64) {
        rest = bytes[...]
        isWhole = salt == 0
        random = Self.hash(bytes) &+ salt
    }

    static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    mutating func next() -> ByteBuffer? {
        guard !rest.isEmpty else { return nil }
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        // Mostly short segments: the states of a parser are a few bytes long.
        let length = isWhole ? rest.count : 1 + Int(random >> 33) % (random >> 60 == 0 ? 64 : 8)
        defer { rest = rest.dropFirst(length) }
        return ByteBuffer(bytes: rest.prefix(length))
    }
}

/// The content of a body that was passed on as it came.
struct Content {
    private(set) var bytes: [UInt8] = []
    private var pending: [UInt8] = []
    private let isChunked: Bool

    init(_ framing: Framing) {
        isChunked = framing == .chunked
    }

    mutating func append(_ piece: ByteBuffer) {
        guard isChunked else { return bytes.append(contentsOf: piece.readableBytesView) }
        pending.append(contentsOf: piece.readableBytesView)
    }

    /// The content so far, also of a chunk that is not complete.
    var decoded: [UInt8] {
        guard isChunked else { return bytes }
        var content: [UInt8] = []
        var rest = pending[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let digits = rest[..<end].prefix { ByteClass.hexadecimal($0) != nil }
            let size = Int(String(decoding: digits, as: UTF8.self), radix: 16) ?? 0
            let data = rest[(end + 1)...]
            content += data.prefix(size)
            guard size > 0, data.count > size + 2 else { return content }
            rest = data.dropFirst(size + 2)
        }
        return content
    }
}
