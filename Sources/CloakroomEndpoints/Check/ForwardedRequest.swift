import CloakroomCore

/// The request that a proxy asks about, as the headers of the check describe it.
struct ForwardedRequest: Hashable, Sendable {
    let method: String
    /// Path and query, byte for byte as the client sent them; they need not be a well-formed URI.
    let target: String
    /// nil when the proxy leaves the Host header unchanged.
    let host: String?

    /// The target without the query.
    var path: String { String(target.prefix { $0 != "?" }) }

    /// Reads the headers of a check.
    /// - Throws: `Denial.invalidRequest` for a header that is missing, contradicts another, or is malformed: if proxy
    ///   and server read a request differently, the check decides about the wrong request (CVE-2021-32637).
    init(_ headers: DecidingHeaders) throws(Denial) {
        let method = try Self.one(.xForwardedMethod, or: .xOriginalMethod, headers)
        let target = try Self.one(.xForwardedUri, or: .xOriginalURI, headers)
        guard let method, let target else {
            throw .invalidRequest(fields: Self.missing(method: method, target: target))
        }
        try self.init(method: method, target: target, headers)
    }

    /// For a check whose own method and target describe the request.
    init(method: String, target: String, _ headers: DecidingHeaders) throws(Denial) {
        guard Self.isMethod(method) else { throw Self.malformed(.xForwardedMethod) }
        guard !target.isEmpty, target.utf8.count <= Self.longestTarget else { throw Self.malformed(.xForwardedUri) }
        if let scheme = try Self.one(.xForwardedProto, or: .xForwardedProto, headers),
            !Self.schemes.contains(scheme.lowercased())
        {
            throw Self.malformed(.xForwardedProto)
        }
        self.method = method
        self.target = target
        host = try Self.one(.xForwardedHost, or: .xForwardedHost, headers)
    }

    private static let longestTarget = 16 * 1024
    private static let schemes: Set<String> = ["http", "https", "ws", "wss"]

    private static func one(
        _ name: DecidingHeaders.Name, or other: DecidingHeaders.Name, _ headers: DecidingHeaders
    ) throws(Denial) -> String? {
        let first = headers[name] ?? headers[other]
        guard let first else { return nil }
        guard headers.hasNo(name, but: first), headers.hasNo(other, but: first) else {
            throw .invalidRequest(fields: [name.text: "comes twice, with different values"])
        }
        return first
    }

    private static func missing(method: String?, target: String?) -> [String: String] {
        var fields: [String: String] = [:]
        if method == nil { fields[DecidingHeaders.Name.xForwardedMethod.text] = "is missing, as is X-Original-Method" }
        if target == nil { fields[DecidingHeaders.Name.xForwardedUri.text] = "is missing, as is X-Original-URI" }
        return fields
    }

    private static func isMethod(_ text: String) -> Bool {
        1...32 ~= text.utf8.count
            && text.utf8.allSatisfy { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 || $0 == UInt8(ascii: "-") }
    }

    private static func malformed(_ name: DecidingHeaders.Name) -> Denial {
        .invalidRequest(fields: [name.text: "is malformed"])
    }
}
