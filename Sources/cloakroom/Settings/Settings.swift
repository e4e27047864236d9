import CloakroomCore
import CloakroomEndpoints
import CloakroomGateway
import Foundation
import NIOCore

/// The settings of an operator, read and checked. `SettingsTable` defines how each value gets here.
struct Settings: Sendable {
    var data = DataSettings()
    var listeners = ListenerSettings()
    var gateway = GatewaySettings()
    var process = ProcessSettings()
    var server = AuthorizationServer.Configuration()
    /// The gateway's rules; nil without a gateway.
    private(set) var routes: RouteTable?
    /// The given values as text, for the commands for administration.
    private(set) var remembered: [SettingKey: String] = [:]

    /// The defaults, without those that are computed from other settings.
    init() {}

    /// Reads and checks all settings.
    /// - Throws: `SettingsError` for the first invalid value.
    init(_ sources: SettingsSources) throws(SettingsError) {
        for setting in SettingsTable.all {
            guard let (text, place) = sources.value(of: setting.key) else { continue }
            guard setting.apply(text, &self) else {
                throw SettingsError(place: place, problem: setting.problem(text))
            }
            if setting.isRemembered { remembered[setting.key] = setting.text(self) }
        }
        for setting in SettingsTable.all where sources.value(of: setting.key) == nil {
            setting.defaultValue.apply(&self)
        }
        try checkReach(sources)
        try checkKeyRotation(sources)
        try readHosts(sources)
        try readRoutes(sources)
    }

    private func checkKeyRotation(_ sources: SettingsSources) throws(SettingsError) {
        guard let interval = server.keyRotation, interval < server.shortestKeyRotation else { return }
        throw SettingsError(
            place: sources.place(of: "keyRotation"),
            problem: """
                expected at least \(server.shortestKeyRotation.wholeSeconds) seconds, a ninetieth of absoluteLifetime: keys are \
                kept for as long as sessions live
                """)
    }

    private mutating func readHosts(_ sources: SettingsSources) throws(SettingsError) {
        let login = server.publicURL
        let origins = login.map { login in listeners.hosts.compactMap { $0.origin(beside: login) } } ?? []
        server.hosts = Set(origins).subtracting([login].compactMap { $0 })
        let isWithoutLogin = login == nil && !listeners.hosts.isEmpty
        let found = HostFault.find(in: server.hosts, beside: login)
        guard let fault = isWithoutLogin ? .noLoginHost : found else { return }
        throw SettingsError(place: sources.place(of: "hosts"), problem: fault.problem)
    }

    private mutating func readRoutes(_ sources: SettingsSources) throws(SettingsError) {
        do throws(RouteRules.Unusable) {
            routes = try RouteRules.table(gateway)
        } catch {
            throw SettingsError(place: sources.place(of: "routes"), problem: error.problem)
        }
        guard let routes else { return }
        guard !process.isDemo else {
            throw SettingsError(
                place: sources.place(of: "demo"), problem: "cannot be used with upstream or routes: both serve /")
        }
        guard routes.isOpen(server.loginPage) else {
            throw SettingsError(
                place: sources.place(of: "loginPage"),
                problem:
                    "\(server.loginPage) must be public by a rule: a page that demands a session would redirect to itself"
            )
        }
        let addresses = routes.routes.flatMap(\.upstream.addresses)
        // A request could otherwise reach endpoints that put tokens into their responses.
        guard !addresses.contains(where: { $0.isSame(as: listeners.privateAddress) }) else {
            throw SettingsError(place: sources.place(of: "upstream"), problem: "must not be the private listener")
        }
        let own = PrivateListener.Address.network(host: listeners.host, port: listeners.port)
        guard !addresses.contains(where: { $0.isSame(as: own) }) else {
            throw SettingsError(
                place: sources.place(of: "upstream"), problem: "must not be this server: each request would come back")
        }
    }

    var privateListener: PrivateListener? {
        listeners.privateAddress.map { PrivateListener(address: $0, socketGroup: listeners.privateSocketGroup) }
    }

    /// Whether clients reach the server over plain HTTP, on this machine only.
    var isLoopbackDevelopment: Bool {
        server.publicURL.map { $0.isLoopback && $0.scheme == "http" } ?? true
    }

    /// Checks that requests from other machines come over TLS, and under the one name that the origin check accepts.
    private func checkReach(_ sources: SettingsSources) throws(SettingsError) {
        if let publicURL = server.publicURL, publicURL.scheme != "https", !publicURL.isLoopback {
            throw SettingsError(
                place: sources.place(of: "publicURL"), problem: "expected https, except on loopback")
        }
        let isLoopback = ["localhost", "127.0.0.1", "::1"].contains(listeners.host)
        guard !isLoopback else { return }
        guard let publicURL = server.publicURL else {
            throw SettingsError(
                place: sources.place(of: "host"),
                problem: "binding to \(listeners.host) needs publicURL, the address that browsers use")
        }
        // Otherwise other machines reach a server that takes every request for one of this machine: without Secure
        // cookies, and without TLS.
        guard publicURL.scheme == "https" else {
            throw SettingsError(
                place: sources.place(of: "host"),
                problem: "binding to \(listeners.host) needs a publicURL with https, got \(publicURL)")
        }
    }
}

extension HostFault {
    fileprivate var problem: String {
        switch self {
        case .noLoginHost: "needs publicURL, the host at which users log in"
        case .otherScheme(let origin): "expected the scheme of publicURL, got \(origin)"
        case .sameName(let origin):
            "expected each host name once, got \(origin) as well: cookies do not know ports"
        case .otherDomain(let origin):
            """
            expected hosts below a domain of yours that the host of publicURL is below as well, got \(origin.authority)
            """
        case .tooMany: "expected at most \(Self.mostHosts) hosts"
        }
    }
}

/// An invalid setting: the place of its value, and the problem.
struct SettingsError: Error, CustomStringConvertible {
    let place: String
    let problem: String

    var description: String { "\(place): \(problem)" }
}

extension UpstreamAddress {
    /// Whether requests to this address reach the listener, under whatever name.
    fileprivate func isSame(as listener: PrivateListener.Address?) -> Bool {
        switch (socket, listener) {
        case (.unix(let path), .unixSocket(let other)):
            Self.canonical(path) == Self.canonical(other)
        case (.network(let host, let port), .network(let other, let otherPort)):
            port == otherPort && (host == other || Self.isLocal(host) && Self.isLocal(other))
        case (_, nil), (.unix, .network), (.network, .unixSocket): false
        }
    }

    /// The path of a socket that need not exist yet, without links.
    private static func canonical(_ path: String) -> String {
        var path = path
        for _ in 0..<16 {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else { break }
            let directory = (path as NSString).deletingLastPathComponent
            path = target.hasPrefix("/") ? target : "\(directory)/\(target)"
        }
        let url = URL(fileURLWithPath: path)
        return url.deletingLastPathComponent().resolvingSymlinksInPath().path + "/" + url.lastPathComponent
    }

    /// Whether the host is this machine, by any of its names and addresses.
    private static func isLocal(_ host: String) -> Bool {
        guard let resolved = try? SocketAddress.makeAddressResolvingHost(host, port: 0),
            let address = resolved.ipAddress
        else { return false }
        if address.hasPrefix("127.") || address.hasPrefix("::ffff:127.") || ["::1", "0.0.0.0", "::"].contains(address) {
            return true
        }
        let interfaces = (try? System.enumerateDevices()) ?? []
        return interfaces.contains { $0.address?.ipAddress == address }
    }
}
