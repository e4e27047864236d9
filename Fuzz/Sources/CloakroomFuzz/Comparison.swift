import NIOHTTP1

/// Compares the gateway's reading of a connection with NIO's. What the gateway accepts, NIO must accept as the same
/// messages, and however the bytes are cut: a second request can hide in a difference (CVE-2026-2833 and its relatives).
enum Comparison {
    /// What differs.
    struct Difference: Error {
        let reason: String
        let ours: Reading
        var other: OtherReading?
    }

    static func requests(_ bytes: [UInt8]) throws(Difference) {
        let ours = RequestReader.read(bytes, salt: 0)
        guard ours == RequestReader.read(bytes, salt: 1) else {
            throw Difference(reason: "the gateway reads the segments in another way", ours: ours)
        }
        for target in ours.targets where target.authority == nil { try checkStable(target, ours) }
        guard !ours.messages.isEmpty else { return }
        let sentinel = Message(start: "GET  /sentinel", fields: [.init(name: "Host", value: "s")], isComplete: true)
        let follower = "GET /sentinel HTTP/1.1\r\nHost: s\r\n\r\n"
        for salt: UInt64 in [0, 2] {
            let stream = ours.accepted + (ours.isOpen ? Array(follower.utf8) : [])
            try compare(ours, with: .requests(stream, salt: salt), followedBy: sentinel)
        }
    }

    static func responses(_ bytes: [UInt8]) throws(Difference) {
        let isToHead = isAnswerToHead(bytes)
        let ours = readResponses(bytes)
        guard ours == ResponseReader.read(bytes, isToHead: isToHead, salt: 1) else {
            throw Difference(reason: "the gateway reads the segments in another way", ours: ours)
        }
        guard !ours.messages.isEmpty else { return }
        let sentinel = Message(start: "204", isComplete: true)
        let isAnswered = ours.messages.last.map { $0.start.utf8.first != UInt8(ascii: "1") } ?? false
        let follower = isAnswered && ours.isOpen ? Array("HTTP/1.1 204 N\r\n\r\n".utf8) : []
        for salt: UInt64 in [0, 2] {
            let other = OtherReading.responses(
                ours.accepted + follower, to: [isToHead ? .HEAD : .GET, .GET], salt: salt)
            try compare(ours, with: other, followedBy: follower.isEmpty ? nil : sentinel)
        }
    }

    static func readResponses(_ bytes: [UInt8]) -> Reading {
        ResponseReader.read(bytes, isToHead: isAnswerToHead(bytes), salt: 0)
    }

    /// Whether the request was HEAD: also the bytes' own choice, as the segments are.
    private static func isAnswerToHead(_ bytes: [UInt8]) -> Bool {
        Segments.hash(bytes) % 4 == 0
    }

    private static func compare(
        _ ours: Reading, with other: OtherReading, followedBy sentinel: Message?
    ) throws(Difference) {
        guard !other.hasFailed else { throw Difference(reason: "NIO refuses it", ours: ours, other: other) }
        let expected = ours.messages + (ours.isOpen ? [sentinel].compactMap { $0 } : [])
        guard other.messages == expected else {
            throw Difference(reason: "NIO reads other messages", ours: ours, other: other)
        }
    }

    /// The path for the backend must mean what the policy has judged.
    private static func checkStable(_ target: RequestTarget, _ ours: Reading) throws(Difference) {
        let again = Array(target.text.utf8).withUnsafeBytes { try? RequestTarget($0) }
        guard again == target else { throw Difference(reason: "the path for the backend is another", ours: ours) }
    }
}

extension Comparison.Difference: CustomStringConvertible {
    var description: String {
        let messages = other.map { $0.messages.map { "  \($0)" }.joined(separator: "\n") } ?? ""
        return """
            \(reason)
            the gateway: \(ours.isOpen ? "open" : "closed")
            \(ours.messages.map { "  \($0)" }.joined(separator: "\n"))
            NIO: \(other?.hasFailed == true ? "failed" : "")
            \(messages)
            \(String(decoding: ours.accepted, as: UTF8.self).debugDescription)
            """
    }
}
