import CloakroomTokens
import HTTPTypes
package import Hummingbird
import NIOCore

/// An HTML page that runs only the scripts and styles that it names by a nonce (CSP level 3, section 8.1), a fresh one
/// in every answer: an uploaded file on the same origin is no script of ours.
package struct Page: Sendable {
    private let template: String

    /// - Parameter html: with `{{name}}` where a value belongs; `{{nonce}}` in every script and style.
    package init(_ html: [UInt8]) {
        template = String(decoding: html, as: UTF8.self)
    }

    /// - Parameter values: what stands for each `{{name}}`; escaped here.
    package func response(_ values: [String: String] = [:]) -> Response {
        let nonce = Base64URL.encode((0..<18).map { _ in UInt8.random(in: .min ... .max) })
        let html = Self.fill(template, values.merging(["nonce": nonce], uniquingKeysWith: { $1 }))
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: Self.policy(nonce),
            ],
            body: .init(byteBuffer: ByteBuffer(string: html)))
    }

    /// In one pass: a value that reads like a placeholder stays a value.
    private static func fill(_ template: String, _ values: [String: String]) -> String {
        var html = ""
        var rest = template[...]
        while let open = rest.firstRange(of: "{{"), let close = rest[open.upperBound...].firstRange(of: "}}") {
            html += rest[..<open.lowerBound]
            html += values[String(rest[open.upperBound..<close.lowerBound])].map(escaped) ?? ""
            rest = rest[close.upperBound...]
        }
        return html + rest
    }

    /// Nothing inline, no string becomes markup or code, and no form leaves: should the scripts fail to load, a password
    /// is sent nowhere.
    private static func policy(_ nonce: String) -> String {
        """
        default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; connect-src 'self'; \
        img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; \
        require-trusted-types-for 'script'; trusted-types 'none'
        """
    }

    private static func escaped(_ text: String) -> String {
        text.map { character in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            case "'": "&#39;"
            default: String(character)
            }
        }.joined()
    }
}
