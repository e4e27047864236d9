/// The body of `POST /service/sessions`.
package struct NewSession: Encodable {
    let subject: String
    let authentication = ["amr": ["pwd"]]
    let claims: [String: [String]]
    let browser: [String: String]

    package init(subject: String, claims: [String: [String]], browser: [String: String]) {
        (self.subject, self.claims, self.browser) = (subject, claims, browser)
    }
}

/// The part of its response that goes to the browser.
package struct BegunSession: Decodable {
    package let set_cookie: [String]
}

/// The part of an access token, or of `X-Auth-Claims`, that the app reads.
package struct Claims: Codable {
    package var sub: String?
    package var exp: Int?
    package var roles: [String]
}
