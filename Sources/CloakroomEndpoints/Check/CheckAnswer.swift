import CloakroomCore
import CloakroomMiddleware
import CloakroomTokens
import HTTPTypes
import Hummingbird
import NIOCore

/// The response of a check that allows: it names the session to the proxy, and contains its access token.
///
/// Creating one needs an `AdmittedPeer`, which only a connection of the private listener has. A script can send any
/// headers to the public listener, but that listener cannot create this response.
package struct CheckAnswer: Sendable {
    /// The status codes that proxies accept as "allowed".
    package enum Status: Int, Sendable {
        case ok = 200
        case noContent = 204
    }

    let access: VerifiedAccess
    /// The renewed session cookie for the browser; nil when nothing was renewed.
    let setCookie: String?
    let status: Status

    init(
        allowing access: VerifiedAccess, setCookie: String? = nil, under parameters: CheckParameters,
        to _: AdmittedPeer
    ) {
        self.access = access
        self.setCookie = setCookie
        status = parameters.allowsWith200 ? .ok : .noContent
    }

    /// The headers of `fields` for the OpenAPI document, and of the response to a preflight, which has only the last
    /// of them.
    static let headers = [
        ("Authorization", "`Bearer <access token>` for the upstream."), ("X-Auth-Subject", "The account's id."),
        ("X-Auth-Session", "The session's id."), ("X-Auth-Claims", "The subject's claims as ASCII JSON; `{}` without."),
        ("Set-Cookie", AnswerHeader.sessionCookie.help),
        ("X-Auth-Set-Cookie", "The same, for proxies that relay headers by name."),
        ("X-Auth-Cache-Control", "`no-store`, beside a renewed cookie: for the response to the browser."),
        (
            "X-Auth-Preflight",
            "`allowed`, for a CORS preflight of a trusted origin, without any of the others. For OPTIONS only."
        ),
    ].map { AnswerHeader(name: $0, help: $1, isAlways: false) }

    private enum Value {
        case text(String)
        /// A token of several hundred bytes, which the event loop writes without making a string of it.
        case bearer(Secret)
    }

    /// Calls `send` with the names and values, in the order in which they are sent.
    private func forEachField(_ send: (_ name: String, _ value: Value) -> Void) {
        send("X-Auth-Subject", .text(access.subject.rawValue))
        send("X-Auth-Session", .text(access.session.rawValue))
        send("X-Auth-Claims", .text(access.claimsText))
        send("Authorization", .bearer(access.token))
        send("Cache-Control", .text("no-store"))
        guard let setCookie else { return }
        // No cache may keep an answer with a renewed cookie. The proxy copies this header to the backend's answer.
        send("Set-Cookie", .text(setCookie))
        send("X-Auth-Set-Cookie", .text(setCookie))
        send("X-Auth-Cache-Control", .text("no-store"))
    }

    /// The response as the framework writes it.
    var response: Response {
        var headers = HTTPFields()
        forEachField { name, value in
            let text =
                switch value {
                case .text(let text): text
                case .bearer(let token): "Bearer \(String(decoding: token.bytes, as: UTF8.self))"
                }
            headers.append(HTTPField(name: .known(name), value: text))
        }
        return Response(status: .init(code: status.rawValue), headers: headers)
    }

    /// Writes the header lines, for the wire.
    func write(to buffer: inout ByteBuffer) {
        forEachField { name, value in
            buffer.writeString(name)
            switch value {
            case .text(let text):
                buffer.writeStaticString(": ")
                buffer.writeString(text)
            case .bearer(let token):
                buffer.writeStaticString(": Bearer ")
                buffer.writeBytes(token.bytes)
            }
            buffer.writeStaticString("\r\n")
        }
    }
}
