/// The host to which a session belongs, and whose requests alone may use its tokens: a stolen cookie or bearer token of
/// one host opens no other host of the setting `hosts`.
package enum SessionHost: Hashable, Sendable {
    /// The host of `publicURL`. Without the setting, every host.
    case login
    /// Another host of the setting, with its port if that is not the default one.
    case other(String)
    /// Not a host of this server. No session belongs to it.
    case foreign

    /// The text of the claim; nil for the login host, whose tokens have none.
    package var claim: String? {
        switch self {
        case .login, .foreign: nil
        case .other(let host): host
        }
    }
}

extension Session {
    /// The host to which the session belongs.
    package var host: SessionHost { details.handedOver.map { .other($0.host) } ?? .login }
}

extension OriginPolicy {
    /// The host whose sessions a request may use.
    /// - Parameter host: the header `Host`.
    package func sessionHost(forHost host: String?) -> SessionHost {
        guard !hosts.isEmpty else { return .login }
        guard let origin = try? origin(forHost: host) else { return .foreign }
        return origin == ownOrigin ? .login : .other(origin.authority)
    }
}
