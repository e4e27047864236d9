import CloakroomCore
import CloakroomTokens
import HTTPTypes

@testable import CloakroomEndpoints

/// Searches a response for parts of secrets that a script in a page could read: in the body and in every header
/// except `Set-Cookie`, which browsers hide from scripts. This includes the URLs of redirects.
struct LeakScan {
    /// The shortest run of bytes that counts as a leak: shorter ones occur in texts that are no tokens.
    static let length = 16
    /// Every run of 16 bytes contains a complete block of 8 bytes that begins at a multiple of eight.
    private static let block = 8

    private let secrets: [[UInt8]]
    private var places: [UInt64: [(secret: Int, offset: Int)]] = [:]

    /// - Parameter secrets: tokens and cookie values, as text.
    init(_ secrets: [String]) {
        self.secrets = Set(secrets).map { Array($0.utf8) }.filter { $0.count >= Self.length }
        for (number, secret) in self.secrets.enumerated() {
            for offset in stride(from: 0, through: secret.count - Self.block, by: Self.block) {
                let block = secret[offset..<offset + Self.block].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                places[block, default: []].append((number, offset))
            }
        }
    }

    /// The place of a part of a secret; nil if there is none.
    /// - Parameter allowed: members of a JSON body that carry tokens by design.
    func leak(in answer: Browser.Answer, exceptMembers allowed: Set<String> = []) -> String? {
        for field in answer.headers where field.name != .setCookie {
            if isLeaky(field.value) || isLeaky(field.name.rawName) { return "header \(field.name)" }
        }
        return isLeaky(text(of: answer, without: allowed)) ? "body" : nil
    }

    private func text(of answer: Browser.Answer, without allowed: Set<String>) -> String {
        guard !allowed.isEmpty, var object = answer.json.objectValue else { return answer.text }
        for name in allowed { object[name] = nil }
        return String(decoding: JSONValue.object(object).serialized, as: UTF8.self)
    }

    private func isLeaky(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var last = UInt64(0)
        for (position, byte) in bytes.enumerated() {
            last = last << 8 | UInt64(byte)
            guard position >= Self.block - 1, let places = places[last] else { continue }
            let start = position - Self.block + 1
            if places.contains(where: { run(in: bytes, at: start, with: secrets[$0.secret], at: $0.offset) }) {
                return true
            }
        }
        return false
    }

    /// Whether text and secret match for at least `length` bytes around these positions.
    private func run(in text: [UInt8], at start: Int, with secret: [UInt8], at offset: Int) -> Bool {
        let before = zip(text[..<start].reversed(), secret[..<offset].reversed()).prefix { $0 == $1 }.count
        let after = zip(text[start...], secret[offset...]).prefix { $0 == $1 }.count
        return before + after >= Self.length
    }
}
