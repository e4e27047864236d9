package import CloakroomCore

extension OriginPolicy {
    /// The page that asks for a password at the login host, and that starts a hand-over at every other host.
    package static let ownLoginPage = "/auth/pages/login"

    /// The page to which a navigation without a session is redirected.
    /// - Parameters:
    ///   - page: the page at the login host. An app's own login works there alone: another host has to start a hand-over.
    ///   - host: the host of the navigation.
    package func loginPage(_ page: String, at host: String?) -> String {
        guard !hosts.isEmpty, let origin = try? origin(forHost: host), origin != ownOrigin else { return page }
        return Self.ownLoginPage
    }
}
