package import CloakroomMiddleware
import Crypto
package import NIOHTTP1

/// A question to `/auth/check`: whose cookie it is, and apart from that everything that the answer depends on, so that
/// the same question about another session is known again.
///
/// Everything that a client or a proxy sends is part of the question, but for what is named here as having no bearing on
/// an answer that allows: a header that nobody has thought of makes questions differ, and never answers alike.
package struct CheckQuestion: Sendable {
    let key: SHA256Digest
    /// The value of the one session cookie.
    let cookie: [UInt8]

    /// nil for what is no such question, or for one that the endpoint alone should answer.
    /// - Parameters:
    ///   - peer: who asks: forwarded headers count from trusted proxies alone.
    ///   - session: what the cookie is called.
    ///   - scratch: emptied and used again, so that no question allocates.
    package init?(_ head: HTTPRequestHead, peer: [UInt8], session: SessionCookie, scratch: inout [UInt8]) {
        guard head.method == .GET, head.version == .http1_1, Self.isCheck(head.uri) else { return nil }
        scratch.removeAll(keepingCapacity: true)
        scratch += peer
        Self.append(head.uri, to: &scratch)
        var found = Found()
        for (name, value) in head.headers {
            guard Self.take(name, value, &found, &scratch) else { return nil }
        }
        guard let header = found.cookies else { return nil }
        let cookies = session.values(in: header, userAgent: found.userAgent)
        guard cookies.count == 1 else { return nil }
        cookie = cookies[0]
        key = scratch.withUnsafeBytes { SHA256.hash(data: $0) }
    }

    private struct Found {
        var cookies: String?
        var userAgent = ""
        var hasForwardedURI = false
    }

    /// - Returns: whether the question may be one.
    private static func take(
        _ name: String, _ value: String, _ found: inout Found, _ scratch: inout [UInt8]
    ) -> Bool {
        let start = scratch.count
        append(lowercased: name, to: &scratch)
        switch HeaderRole(of: scratch[start...]) {
        case .decisive:
            append(value, to: &scratch)
        case .userAgent:
            found.userAgent = value
            append(value, to: &scratch)
        case .cookies:
            guard found.cookies == nil else { return false }
            found.cookies = value
        case .irrelevant:
            scratch.removeLast(scratch.count - start)
        case .forwardedURI:
            guard !found.hasForwardedURI else { return false }
            found.hasForwardedURI = true
            append(SameOriginPath.isOrdinary(value) ? "ordinary" : value, to: &scratch)
        case .mustBe(let expected):
            guard value == expected else { return false }
            scratch.removeLast(scratch.count - start)
        case .mustNotBe(let refused):
            guard value != refused else { return false }
            append(value, to: &scratch)
        case .forTheEndpoint:
            return false
        }
        return true
    }

    private static let path = "/auth/check"

    private static func isCheck(_ uri: String) -> Bool {
        uri == path || uri.hasPrefix(path) && uri.utf8.dropFirst(path.utf8.count).first == UInt8(ascii: "?")
    }

    /// Neither names nor values hold a line feed.
    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\n"))
        bytes += text.utf8
    }

    private static func append(lowercased name: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\n"))
        for byte in name.utf8 {
            bytes.append(UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte)
        }
    }
}

/// What a request header has to do with the answer.
private enum HeaderRole {
    /// Part of the question, byte for byte.
    case decisive
    /// Part of it, and says what the cookie is called.
    case userAgent
    /// Ours is looked at; others have no bearing.
    case cookies
    /// Has no bearing on an answer that allows.
    case irrelevant
    /// Which path is asked about matters only where it is malformed or our own.
    case forwardedURI
    /// Irrelevant with this one value, and with any other a question for the endpoint.
    case mustBe(String)
    case mustNotBe(String)
    case forTheEndpoint

    /// - Parameter line: a line feed and the name in lower case.
    init(of line: ArraySlice<UInt8>) {
        let candidates = line.count < Self.byLength.count ? Self.byLength[line.count] : []
        self = candidates.first { $0.line.elementsEqual(line) }?.role ?? .decisive
    }

    private static let byLength: [[(line: [UInt8], role: HeaderRole)]] = {
        var table: [[(line: [UInt8], role: HeaderRole)]] = []
        for (name, role) in roles {
            let line = [UInt8(ascii: "\n")] + name.utf8
            while table.count <= line.count { table.append([]) }
            table[line.count].append((line, role))
        }
        return table
    }()

    private static let roles: [(String, HeaderRole)] =
        [
            "accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "content-type", "dnt",
            "if-modified-since", "if-none-match", "pragma", "priority", "referer", "sec-ch-ua", "sec-ch-ua-mobile",
            "sec-ch-ua-platform", "sec-gpc", "traceparent", "tracestate", "via", "x-forwarded-for", "x-forwarded-port",
            "x-forwarded-server", "x-real-ip", "x-request-id",
        ].map { ($0, .irrelevant) }
        + ["x-forwarded-uri", "x-original-uri"].map { ($0, .forwardedURI) }
        // A body, another protocol, an authority that is not the cookie's, a worker's script, proof that is a session's.
        + ["transfer-encoding", "expect", "upgrade", "authorization", "service-worker", "x-xsrf-token"].map {
            ($0, .forTheEndpoint)
        }
        + [
            ("cookie", .cookies), ("user-agent", .userAgent), ("content-length", .mustBe("0")),
            ("connection", .mustBe("keep-alive")),
            // With this mode, and then alone, the Referer counts (`OriginPolicy`).
            ("sec-fetch-mode", .mustNotBe("same-origin")),
        ]
}

extension SameOriginPath {
    /// Whether nothing about an answer depends on which path it is.
    fileprivate static func isOrdinary(_ uri: String) -> Bool {
        isWellFormed(uri) && !uri.hasPrefix("/auth/")
    }
}
