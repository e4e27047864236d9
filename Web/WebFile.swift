/// A file that browsers fetch, embedded in the binary.
package struct WebFile: Sendable {
    package let bytes: [UInt8]
    /// The value of `Content-Type`.
    package let mediaType: String

    package static func html(_ bytes: [UInt8]) -> Self { Self(bytes: bytes, mediaType: "text/html; charset=utf-8") }

    package static func script(_ bytes: [UInt8]) -> Self {
        Self(bytes: bytes, mediaType: "text/javascript; charset=utf-8")
    }

    package static func style(_ bytes: [UInt8]) -> Self { Self(bytes: bytes, mediaType: "text/css; charset=utf-8") }
}

/// The browser client.
extension WebFile {
    package static let client = script(PackageResources.client_js)
    package static let clientTypes = Self(
        bytes: PackageResources.client_d_ts, mediaType: "text/plain; charset=utf-8")
}

/// The pages under `/auth/pages/`. Their HTML has placeholders for `Page`.
extension WebFile {
    package static let loginPage = html(PackageResources.login_html)
    package static let signUpPage = html(PackageResources.signup_html)
    package static let handOverPage = html(PackageResources.hand_over_html)
    package static let accountPage = html(PackageResources.account_html)
    package static let loginScript = script(PackageResources.login_js)
    package static let signUpScript = script(PackageResources.signup_js)
    package static let accountScript = script(PackageResources.account_js)
    package static let formScript = script(PackageResources.form_js)
    package static let sessionsScript = script(PackageResources.sessions_js)
    package static let pageStyle = style(PackageResources.style_css)
}
