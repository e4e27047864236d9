import CloakroomCore
import CloakroomMiddleware
import HTTPTypes

/// The request that a proxy asks about, from the headers that it sends along.
struct ForwardedRequest: Hashable, Sendable {
    /// nil where the proxy did not say.
    let method: String?
    let host: String?
    /// Path and query, as the client sent them.
    let uri: String?

    /// The path alone.
    var path: String? { uri.map { String($0.prefix { $0 != "?" }) } }

    /// nil when the request carries none of these headers.
    /// - Throws: `Denial.invalidRequest` for a header that comes twice, contradicts another, or is malformed: an answer
    ///   about a request that one of the two sides reads differently is an answer about nothing (CVE-2021-32637).
    init?(_ headers: HTTPFields) throws(Denial) {
        guard headers.contains(where: { $0.name.canonicalName.hasPrefix("x-") }) else { return nil }
        let method = try Self.one(Self.methodNames, headers)
        let uri = try Self.one(Self.uriNames, headers)
        let host = try Self.one(Self.hostNames, headers)
        let scheme = try Self.one(Self.schemeNames, headers)
        guard method != nil || uri != nil || host != nil || scheme != nil else { return nil }
        if let method, !Self.isMethod(method) { throw Self.malformed("method") }
        if let uri, !SameOriginPath.isWellFormed(uri) { throw Self.malformed("URI") }
        if let scheme, scheme != "http", scheme != "https" { throw Self.malformed("scheme") }
        self.method = method
        self.uri = uri
        self.host = host
    }

    private static let methodNames: [HTTPField.Name] = [.known("X-Forwarded-Method"), .known("X-Original-Method")]
    private static let uriNames: [HTTPField.Name] = [.known("X-Forwarded-Uri"), .known("X-Original-URI")]
    private static let hostNames: [HTTPField.Name] = [.known("X-Forwarded-Host")]
    private static let schemeNames: [HTTPField.Name] = [.known("X-Forwarded-Proto")]

    private static func one(_ names: [HTTPField.Name], _ headers: HTTPFields) throws(Denial) -> String? {
        let values = names.flatMap { headers[values: $0] }
        guard Set(values).count <= 1 else { throw .invalidRequest(fields: [names[0].rawName: "comes twice"]) }
        return values.first
    }

    private static func isMethod(_ text: String) -> Bool {
        1...32 ~= text.utf8.count && text.utf8.allSatisfy { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 }
    }

    private static func malformed(_ what: String) -> Denial {
        .invalidRequest(fields: ["forwarded \(what)": "is malformed"])
    }
}

/// Paths that stay on the origin they are followed from.
enum SameOriginPath {
    /// Printable ASCII without what any parser turns into something else, percent signs only before two digits.
    static func isWellFormed(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.first == UInt8(ascii: "/"), bytes.count <= 4096 else { return false }
        return bytes.indices.allSatisfy { index in
            switch bytes[index] {
            case UInt8(ascii: "%"): isHexadecimal(bytes, index + 1) && isHexadecimal(bytes, index + 2)
            case UInt8(ascii: "\\"), UInt8(ascii: "#"): false
            case 0x21...0x7E: true
            default: false
            }
        }
    }

    /// Whether following it cannot lead to another host: `//evil` and `/\evil` do (CVE-2021-32786).
    static func isSafe(_ text: String) -> Bool {
        isWellFormed(text) && !text.hasPrefix("//")
    }

    /// Percent-encoded for a query.
    static func queryValue(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            if character.isLetter || character.isNumber || "-._~/".contains(character) { return String(character) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count < 2 ? "0" : "") + digits
        }.joined()
    }

    private static func isHexadecimal(_ bytes: [UInt8], _ index: Int) -> Bool {
        bytes.indices.contains(index) && Character(Unicode.Scalar(bytes[index])).isHexDigit
    }
}
