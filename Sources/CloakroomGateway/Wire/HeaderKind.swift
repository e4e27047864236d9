/// What a header means to a gateway that looks at names alone.
enum HeaderKind: Hashable, Sendable {
    case host, cookie, authorization, connection, contentLength, transferEncoding, expect, upgrade
    case origin, secFetchSite, secFetchMode, serviceWorker, secWebSocketKey, referer, upgradeInsecureRequests
    case accept, userAgent, accessControlRequestMethod, xsrfToken, forwardedFor
    case setCookie
    /// Whether and where a response may be kept: `Cache-Control`, and what CDNs and nginx obey before it (RFC 9213).
    case cacheControl
    /// Valid for one connection (RFC 9110 section 7.6.1).
    case hopByHop
    /// Names a client must not set, because backends read who the user is from them, or which URL was requested:
    /// `X-Auth-*`, `X-Forwarded-*`, `Forwarded` and their relatives, in any spelling that CGI, WSGI or PHP turns into
    /// the same variable (`X_Auth_Subject`, `X.Auth.Subject`; CVE-2025-64484, GHSA-f59h-q822-g45g). Also the other
    /// names of this list in such a spelling, such as `Content_Length`. Some servers turn every character that is no letter
    /// or digit into `_`, also `!` and `~`.
    case forged
    case other
}

extension HeaderKind {
    /// - Parameter name: a valid field name.
    init(_ name: UnsafeRawBufferPointer) {
        let kind = Self.known(name)
        if kind != .other {
            self = Self.isPlain(name) ? kind : .forged
        } else {
            self = Self.isForged(name) ? .forged : .other
        }
    }

    /// Compares a name as CGI does: without case, and with any character that is no letter or digit for `-`.
    private static func known(_ name: UnsafeRawBufferPointer) -> HeaderKind {
        guard name.count < candidates.count else { return .other }
        for candidate in candidates[name.count] where name.begins(candidate.name) { return candidate.kind }
        return .other
    }

    private struct Candidate: Sendable {
        let name: StaticString
        let kind: HeaderKind
    }

    /// The names by their length.
    private static let candidates: [[Candidate]] = {
        let names: [(StaticString, HeaderKind)] = [
            ("te", .hopByHop), ("host", .host), ("cookie", .cookie), ("accept", .accept), ("origin", .origin),
            ("expect", .expect), ("upgrade", .upgrade), ("referer", .referer), ("trailer", .hopByHop),
            ("user-agent", .userAgent), ("connection", .connection), ("keep-alive", .hopByHop),
            ("set-cookie", .setCookie), ("x-xsrf-token", .xsrfToken), ("authorization", .authorization),
            ("cache-control", .cacheControl), ("content-length", .contentLength), ("sec-fetch-site", .secFetchSite),
            ("sec-fetch-mode", .secFetchMode), ("service-worker", .serviceWorker), ("http2-settings", .hopByHop),
            ("x-forwarded-for", .forwardedFor), ("x-accel-expires", .cacheControl),
            // Not in any standard, but llhttp, and so Node, obeys it like Connection.
            ("proxy-connection", .connection),
            ("transfer-encoding", .transferEncoding), ("sec-websocket-key", .secWebSocketKey),
            ("cdn-cache-control", .cacheControl), ("surrogate-control", .cacheControl),
            ("proxy-authenticate", .hopByHop), ("proxy-authorization", .hopByHop),
            ("upgrade-insecure-requests", .upgradeInsecureRequests),
            ("cloudflare-cdn-cache-control", .cacheControl),
            ("access-control-request-method", .accessControlRequestMethod),
        ]
        let longest = names.map(\.0.utf8CodeUnitCount).max() ?? 0
        return (0...longest).map { length in
            names.filter { $0.0.utf8CodeUnitCount == length }.map { Candidate(name: $0, kind: $1) }
        }
    }()

    private static func isForged(_ name: UnsafeRawBufferPointer) -> Bool {
        guard name.count >= 7 else { return false }
        if name.count == 9, name.isNamed("forwarded") || name.isNamed("x-real-ip") { return true }
        guard name[0] | 0x20 == UInt8(ascii: "x") else { return false }
        return name.begins("x-auth-") || name.begins("x-forwarded-") || name.begins("x-original-")
            || name.begins("x-rewrite-") || isOverride(name)
    }

    /// Some frameworks run a POST with such a header as another method, for which another rule would decide.
    private static func isOverride(_ name: UnsafeRawBufferPointer) -> Bool {
        name.isNamed("x-http-method-override") || name.isNamed("x-method-override") || name.isNamed("x-http-method")
    }

    private static func isPlain(_ name: UnsafeRawBufferPointer) -> Bool {
        name.allSatisfy { $0 == UInt8(ascii: "-") || isAlphanumeric($0) }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes are this lower-case name, as CGI compares names.
    func isNamed(_ name: StaticString) -> Bool {
        count == name.utf8CodeUnitCount && begins(name)
    }

    /// Whether the bytes begin with this lower-case name, as CGI compares names.
    func begins(_ name: StaticString) -> Bool {
        guard count >= name.utf8CodeUnitCount else { return false }
        for index in 0..<name.utf8CodeUnitCount {
            let expected = name.utf8Start[index]
            let byte = self[index]
            if byte == expected || isUpperCase(byte) && byte | 0x20 == expected { continue }
            guard expected == UInt8(ascii: "-"), !isAlphanumeric(byte) else { return false }
        }
        return true
    }

    /// Whether the bytes are these, without regard to case.
    func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index] != text.utf8Start[index] {
            guard isUpperCase(self[index]), self[index] | 0x20 == text.utf8Start[index] else { return false }
        }
        return true
    }

    private func isUpperCase(_ byte: UInt8) -> Bool {
        UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
    }
}

private func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: false
    }
}
