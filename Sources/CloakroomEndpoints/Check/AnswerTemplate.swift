import CloakroomCore
import CloakroomTokens
import NIOCore
import NIOHTTP1

/// An answer of `/auth/check` that allows, as the endpoint and every middleware made it, with places for what is the
/// session's.
struct AnswerTemplate: Sendable {
    private enum Part: Sendable {
        case text([UInt8])
        case subject, session, token
    }

    private let parts: [Part]

    /// Everything that may be in such an answer. With a header that is not among them nobody knows whose it is: what an
    /// app's own middleware says of one session must not be told of another.
    private static let known: Set<String> = [
        "x-auth-subject", "x-auth-session", "authorization", "cache-control", "vary", "x-content-type-options",
        "referrer-policy", "content-security-policy", "cross-origin-resource-policy", "cross-origin-opener-policy",
        "strict-transport-security", "access-control-allow-origin", "access-control-allow-credentials",
        "access-control-expose-headers",
    ]
    /// The date is of the moment; an answer without content says nothing of its length (RFC 9110 section 8.6).
    private static let left: Set<String> = ["date", "content-length"]

    /// nil for an answer that does not allow, changes a cookie, or is not about `access` alone.
    init?(of head: HTTPResponseHead, allowing access: VerifiedAccess) {
        guard head.status == .noContent else { return nil }
        var text = "HTTP/1.1 204 No Content\r\n"
        var parts: [Part] = []
        func place(_ part: Part) {
            parts += [.text(Array(text.utf8)), part]
            text = "\r\n"
        }
        for (name, value) in head.headers where !Self.left.contains(name.lowercased()) {
            guard Self.known.contains(name.lowercased()) else { return nil }
            text += "\(name): "
            switch name.lowercased() {
            case "x-auth-subject":
                guard value == access.subject.rawValue else { return nil }
                place(.subject)
            case "x-auth-session":
                guard value == access.session.rawValue else { return nil }
                place(.session)
            case "authorization":
                guard value == "Bearer \(String(decoding: access.token.bytes, as: UTF8.self))" else { return nil }
                text += "Bearer "
                place(.token)
            default:
                text += "\(value)\r\n"
            }
        }
        self.parts = parts + [.text(Array(text.utf8))]
    }

    /// The answer for this session, up to its date.
    func write(for access: VerifiedAccess, to buffer: inout ByteBuffer) {
        for part in parts {
            switch part {
            case .text(let bytes): buffer.writeBytes(bytes)
            case .subject: buffer.writeString(access.subject.rawValue)
            case .session: buffer.writeString(access.session.rawValue)
            case .token: buffer.writeBytes(access.token.bytes)
            }
        }
    }
}
