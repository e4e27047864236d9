import CloakroomCore
import NIOHTTP1

extension HTTPRequestHead {
    /// Replaces the Host header by the authority of a target in absolute form (RFC 9112 section 3.2.2). The framework
    /// keeps only the path of such a target.
    /// - Throws: `Denial.misdirectedRequest` for the authority of another server, `.invalidRequest` for two Host
    ///   headers.
    func withAuthorityAsHost(under policy: OriginPolicy) throws(Denial) -> HTTPRequestHead {
        let authority = targetAuthority
        if let authority, !policy.isOurs(targetAuthority: authority) { throw .misdirectedRequest }
        guard headers["host"].count <= 1 else { throw .invalidRequest(fields: ["Host": "must be there, once"]) }
        var head = self
        if let authority { head.headers.replaceOrAdd(name: "host", value: authority) }
        return head
    }

    /// Refuses bodies that this server cannot decode. NIO's decoder reads every list that ends with `chunked`, such as
    /// `gzip, chunked`, and passes the body on still compressed; a proxy before it may frame the body in another way.
    /// - Throws: `Denial.invalidRequest`.
    func checkTransferCoding() throws(Denial) {
        let codings = headers["transfer-encoding"]
        guard !codings.isEmpty else { return }
        guard codings.count == 1, codings[0].lowercased() == "chunked", version == .http1_1 else {
            throw .invalidRequest(fields: ["Transfer-Encoding": "must be chunked alone, in HTTP/1.1"])
        }
    }

    /// The authority of a target in absolute form; nil for other forms.
    private var targetAuthority: String? {
        guard !uri.hasPrefix("/"), let separator = uri.firstRange(of: "://") else { return nil }
        return String(uri[separator.upperBound...].prefix { !"/?#".contains($0) })
    }

    /// - Parameter largestBody: for `Expect: 100-continue`, a longer body is refused before the client sends it.
    func wireRequest(largestBody: Int) -> WireState.Request {
        let isTooLong = contentLength > largestBody && headers.contains(name: "expect")
        return WireState.Request(
            isHead: method == .HEAD,
            // After CONNECT and after an offered upgrade, NIO's decoder stops permanently (swift-nio pull request
            // 2570): the next request on the connection, which a proxy shares among its clients, would hang. A client
            // that waits for a `100 Continue` that it does not get may send its next request instead of the body.
            isLast: offersUpgrade || method == .CONNECT || !isKeepAlive || version != .http1_1 || isTooLong,
            expectsContinue: expectsContinue && !isTooLong)
    }

    /// 0 without a header that says it. A number that does not fit is longer than anything that is read.
    var contentLength: Int {
        headers.first(name: "content-length").map { Int($0) ?? .max } ?? 0
    }

    private var offersUpgrade: Bool {
        headers.contains(name: "upgrade")
            && headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
    }

    /// Always false for HTTP/1.0, which has no interim responses.
    private var expectsContinue: Bool {
        version == .http1_1 && headers["expect"].map { $0.lowercased() } == ["100-continue"]
    }
}
