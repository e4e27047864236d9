import CloakroomCore
import CloakroomMiddleware
import NIOCore

/// A response that the gateway makes itself.
struct GatewayAnswer: Sendable {
    var status: Int
    var fields: [(String, String)]
    var body: [UInt8]

    /// The problem of a denial (RFC 9457); for a browser navigation, a page that says to a person what the person can do.
    init(_ denial: Denial, to head: RequestHead?) {
        let problem = denial.problem.bytes
        (status, fields, body) = (problem.status, problem.fields, problem.body)
        guard head?.isNavigation == true, let sentence = Self.sentence(denial, status) else { return }
        fields.removeAll { $0.0 == "Content-Type" }
        fields.append(("Content-Type", "text/html; charset=utf-8"))
        body = Array(
            """
            <!doctype html><html lang="en"><meta charset="utf-8"><title>\(status)</title>
            <h1>\(status)</h1><p>\(sentence)</p>

            """.utf8)
    }

    /// nil for a denial that a person who follows links does not get.
    private static func sentence(_ denial: Denial, _ status: Int) -> String? {
        if denial == .insufficientClaims { return "You are not allowed to see this page." }
        if denial == .notFound { return "There is nothing at this address." }
        return status >= 500 ? "The service behind this address does not answer at the moment. Try again soon." : nil
    }

    /// Sends a browser to the login page, and back to the target afterwards.
    /// - Parameter isStepUp: whether there is a session that has to log in again: without this mark, the login page would
    ///   send the person straight back, and the gateway would redirect again.
    init(redirectingTo login: String, from target: String, isStepUp: Bool) {
        status = 302
        let back = SameOriginPath.queryValue(SameOriginPath.isSafe(target) ? target : "/")
        let mark = isStepUp ? "&step_up=1" : ""
        let separator = login.contains("?") ? "&" : "?"
        fields = [
            ("Location", "\(login)\(separator)return_to=\(back)\(mark)"), ("Cache-Control", "no-store"),
        ]
        body = []
    }

    /// Lets a page of a trusted origin read the answer (Fetch standard, CORS protocol).
    mutating func share(with origin: String) {
        fields += [
            ("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After"), ("Vary", "Origin"),
        ]
    }

    func write(to buffer: inout ByteBuffer, date: String, protection: [UInt8], isToHead: Bool, closes: Bool) {
        buffer.writeString("HTTP/1.1 \(status) \(HTTPReason.phrase(status))\r\n")
        for (name, value) in fields { buffer.writeString("\(name): \(value)\r\n") }
        buffer.writeBytes(protection)
        buffer.writeString("Date: \(date)\r\nContent-Length: \(body.count)\r\n")
        if closes { buffer.writeStaticString("Connection: close\r\n") }
        buffer.writeStaticString("\r\n")
        if !isToHead { buffer.writeBytes(body) }
    }
}
