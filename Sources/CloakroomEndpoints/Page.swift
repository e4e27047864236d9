import CloakroomTokens
import HTTPTypes
package import Hummingbird
import NIOCore

/// An HTML page that runs only scripts and styles with its nonce (CSP level 3, section 8.1). Each response has a new
/// nonce, so that the browser does not run a file that an attacker uploaded to the same origin.
package struct Page: Sendable {
    private let template: String

    /// - Parameter html: the template, with `{{name}}` for each value, and `{{nonce}}` in every script and style.
    package init(_ html: [UInt8]) {
        template = String(decoding: html, as: UTF8.self)
    }

    /// - Parameter values: the value of each `{{name}}`; this function escapes them.
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

    /// Fills the template in one pass, so that a value that looks like a placeholder is not replaced.
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

    /// The policy forbids inline code, strings as markup or code, and native form submission: if the scripts fail to
    /// load, the browser sends no password.
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
