import CloakroomCore
import CloakroomMiddleware
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

extension Endpoint {
    /// Metrics for Prometheus.
    static let metrics = Endpoint(
        private: Operation(
            .get, "/metrics", "metrics", "Prometheus metrics", tag: .privateListener,
            answers: [Answer(.ok, "Prometheus text format 0.0.4.", .text("text/plain"))])
    ) { call in
        try call.checkHost()
        return Response(
            status: .ok,
            headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: call.metrics())))
    }
}

extension PrivateCall {
    /// Refuses a Host that a foreign page can have (DNS rebinding), on the Unix socket too: a proxy forwards the name
    /// that its client requested.
    ///
    /// Probes need no such check, because the public listener shows the same to any page. Nor do forward-auth checks:
    /// under a foreign name a browser sends no session cookie.
    /// - Throws: `Denial.misdirectedRequest`.
    fileprivate func checkHost() throws(Denial) {
        let host = request.head.authority
        guard !hosts.contains(host) else { return }
        log.warning(
            "metrics were refused under a name that a foreign page can have: scrape by address, or name the host in privateListen",
            metadata: ["host": "\(host ?? "")"])
        throw .misdirectedRequest
    }
}
