import HTTPTypes

extension HTTPField.Name {
    static let secFetchSite = known("Sec-Fetch-Site")
    static let secFetchMode = known("Sec-Fetch-Mode")
    static let xAuthSetCookie = known("X-Auth-Set-Cookie")
    static let xOriginalURI = known("X-Original-URI")
    static let xForwardedURI = known("X-Forwarded-Uri")

    private static func known(_ name: String) -> Self {
        guard let name = Self(name) else { preconditionFailure("\(name) is not a header name") }
        return name
    }
}
