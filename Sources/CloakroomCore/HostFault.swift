/// Why an origin cannot be one of the hosts beside the login host (setting `hosts`).
package enum HostFault: Error, Hashable, Sendable {
    /// There is no public URL, so no host at which users log in.
    case noLoginHost
    /// The scheme is not that of the public URL.
    case otherScheme(WebOrigin)
    /// Another origin has the same name and another port. Cookies do not know ports: both would share a jar.
    case sameName(WebOrigin)
    /// The host and the login host are not below one domain that has one owner.
    case otherDomain(WebOrigin)
    case tooMany

    /// The limit of `HandedOver.mostOfOneParent` leaves four sessions for each host.
    package static let mostHosts = 16

    /// The first reason against these hosts; nil if all can be served.
    package static func find(in hosts: Set<WebOrigin>, beside login: WebOrigin?) -> HostFault? {
        guard !hosts.isEmpty else { return nil }
        guard let login else { return .noLoginHost }
        guard hosts.count <= mostHosts else { return .tooMany }
        var names: Set<String> = [login.host]
        for origin in hosts.sorted(by: { $0.description < $1.description }) {
            guard origin.scheme == login.scheme else { return .otherScheme(origin) }
            guard names.insert(origin.host).inserted else { return .sameName(origin) }
            guard haveOneOwner(origin, login) else { return .otherDomain(origin) }
        }
        return nil
    }

    /// Whether the hosts are below one domain in which strangers cannot get a name: `shop.example.com` and
    /// `example.com`, and not `ann.github.io` and `bob.github.io`.
    private static func haveOneOwner(_ one: WebOrigin, _ other: WebOrigin) -> Bool {
        guard !one.isAddress, !other.isAddress else { return false }
        let labels = zip(one.host.split(separator: ".").reversed(), other.host.split(separator: ".").reversed())
            .prefix { $0.0 == $0.1 }.map(\.0)
        let domain = labels.reversed().joined(separator: ".")
        return labels.first == "localhost" || !SharedDomains.contain(domain)
    }
}
