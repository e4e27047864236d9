import Foundation

/// What the gateway reads in the bytes of one connection. The test that replays them through the gateway to other servers
/// compares with it.
struct ReadRequests: Codable {
    struct Request: Codable {
        let method: String
        let target: String
        /// In hexadecimal digits.
        let body: String
    }

    let input: String
    /// The complete ones.
    let requests: [Request]
    /// Whether the gateway closes the connection, and does not wait for more.
    let closes: Bool

    init(_ bytes: [UInt8]) {
        let reading = RequestReader.read(bytes, salt: 0)
        input = Readings.text(bytes)
        requests = zip(reading.messages, zip(reading.methods, reading.targets)).filter { $0.0.isComplete }.map {
            Request(method: $1.0, target: $1.1.text, body: $0.body.map { String(format: "%02x", $0) }.joined())
        }
        closes = !reading.isOpen && reading.messages.last?.isComplete != false
    }
}

struct ReadResponses: Codable {
    let input: String
    let statuses: [String]

    init(_ bytes: [UInt8]) {
        input = Readings.text(bytes)
        statuses = Comparison.readResponses(bytes).messages.map(\.start)
    }
}

enum Readings {
    /// The bytes, each as the character of its number.
    static func text(_ bytes: [UInt8]) -> String {
        String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    /// A JSON array with one line for each file of a folder, in the order of the names.
    static func list<Reading: Encodable>(_ folder: URL, _ read: ([UInt8]) -> Reading) throws -> String {
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let lines = try files.sorted { $0.lastPathComponent < $1.lastPathComponent }.map { file in
            try String(decoding: encoder.encode(read(Array(Data(contentsOf: file)))), as: UTF8.self)
        }
        return "[\n\(lines.joined(separator: ",\n"))\n]\n"
    }
}
