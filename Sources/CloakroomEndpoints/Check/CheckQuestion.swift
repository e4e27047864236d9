import Crypto
package import NIOHTTP1

/// A question to `/auth/check`, reduced to what its answer depends on, so that the same question is known again.
///
/// Everything that a client or a proxy sends is part of the question, but for what is named here as having no bearing on
/// an answer that allows: a header that nobody has thought of makes questions differ, and never answers alike.
package struct CheckQuestion: Hashable, Sendable {
    let key: SHA256Digest

    /// nil for what is no such question, or for one that is not to be answered from memory.
    /// - Parameters:
    ///   - peer: who asks: forwarded headers count from trusted proxies alone.
    ///   - scratch: emptied and used again, so that no question allocates.
    package init?(_ head: HTTPRequestHead, peer: [UInt8], scratch: inout [UInt8]) {
        guard head.method == .GET, head.version == .http1_1, Self.isCheck(head.uri) else { return nil }
        scratch.removeAll(keepingCapacity: true)
        scratch += peer
        Self.append(head.uri, to: &scratch)
        var hasForwardedURI = false
        for (name, value) in head.headers {
            let start = scratch.count
            Self.append(lowercased: name, to: &scratch)
            switch HeaderRole(of: scratch[start...]) {
            case .decisive:
                Self.append(value, to: &scratch)
            case .irrelevant:
                scratch.removeLast(scratch.count - start)
            case .forwardedURI:
                guard !hasForwardedURI else { return nil }
                hasForwardedURI = true
                Self.append(SameOriginPath.isOrdinary(value) ? "ordinary" : value, to: &scratch)
            case .mustBe(let expected):
                guard value == expected else { return nil }
                scratch.removeLast(scratch.count - start)
            case .mustNotBe(let refused):
                guard value != refused else { return nil }
                Self.append(value, to: &scratch)
            case .neverFromMemory:
                return nil
            }
        }
        key = scratch.withUnsafeBytes { SHA256.hash(data: $0) }
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
    /// Has no bearing on an answer that allows.
    case irrelevant
    /// Which path is asked about matters only where it is malformed or our own.
    case forwardedURI
    /// Irrelevant with this one value, and with any other a request for the long way.
    case mustBe(String)
    case mustNotBe(String)
    case neverFromMemory

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
        // A body, another protocol, an authority that is not the cookie's, a worker's script.
        + ["transfer-encoding", "expect", "upgrade", "authorization", "service-worker"].map { ($0, .neverFromMemory) }
        + [
            ("content-length", .mustBe("0")), ("connection", .mustBe("keep-alive")),
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
