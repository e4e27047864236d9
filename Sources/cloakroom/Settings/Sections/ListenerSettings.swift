import CloakroomCore
import CloakroomEndpoints
import CloakroomMiddleware

/// The addresses of the listeners, and their limits.
struct ListenerSettings: SettingsSection, Sendable {
    var host = "127.0.0.1"
    var port = 8080
    /// The hosts beside that of the public URL, as they were given.
    var hosts: Set<HostName> = []
    /// nil for no private listener.
    var privateAddress: PrivateListener.Address?
    /// nil for the group of the process.
    var privateSocketGroup: String?
    /// PEM files.
    var tlsCertificate: String?
    var tlsKey: String?
    var isSelfSigned = false
    var requestTimeout = Span.seconds(30)
    var shutdownDelay = Span.zero
    /// The limit on each listener; nil for as many as the descriptors allow.
    var maximumConnections: Int?

    static let title = "Listeners"

    static let settings: [Setting] = [
        Setting(
            "host", .text("address", expected: "an address or host name"), to: \.listeners.host, example: "localhost",
            help: "Address to listen on. Any address but loopback needs `publicURL`."),
        Setting(
            "port", .number(0...65535, "port", expected: "a port, 0 to 65535"), to: \.listeners.port, example: "8443",
            help: "Port to listen on; 0 picks a free one."),
        Setting(
            "publicURL", ValueSyntax.origin.optional(), to: \.server.publicURL,
            default: .computed("none; with `tlsSelfSigned` `https://localhost` with the port") { settings in
                guard settings.listeners.isSelfSigned, settings.listeners.port != 0 else { return }
                settings.server.publicURL = WebOrigin(parsing: "https://localhost:\(settings.listeners.port)")
            },
            example: "https://app.example.com",
            help: "Origin that browsers use. It must be https, except on loopback.",
            note: "Requests from any other origin are [cross-site](cross-site-requests.md)."),
        Setting(
            "hosts",
            ValueSyntax.hostName.set(
                expected: "host names such as `shop.example.com`, each written out, without wildcards"),
            to: \.listeners.hosts, example: "app.example.com,shop.example.com",
            help: """
                More hosts of this server, below one domain with that of `publicURL`. A login at `publicURL` serves them all.
                """,
            note: "[Several hosts](several-hosts.md)."),
        Setting(
            "privateListen", ValueSyntax.listener.or("off"), to: \.listeners.privateAddress,
            example: "unix:/run/cloakroom/private.sock",
            help: "Address that proxies, scrapers and backends connect to; port 0 picks a free one.",
            note: "Responses there contain tokens ([the two listeners](forward-auth.md#the-two-listeners))."),
        Setting(
            "privateSocketGroup", ValueSyntax.text("group", expected: "a group").optional(),
            to: \.listeners.privateSocketGroup, default: .computed("the group of the process"), example: "www-data",
            help: "Group whose members may connect to the private Unix socket.", note: "The socket's mode is 0660."),
        Setting(
            "trustedProxies",
            ValueSyntax.addressRange.list(
                expected: "addresses or CIDR ranges such as `10.0.0.0/8`, none wider than `/8` or, in IPv6, `/7`"
            )
            .map({ TrustedProxies($0) }, \.ranges),
            to: \.server.trustedProxies, example: "127.0.0.1,10.0.0.0/8",
            help: """
                Addresses of your reverse proxies. Their `X-Forwarded-For` counts, and they may connect to the private \
                listener.
                """),
        Setting(
            "tlsCert", ValueSyntax.text("file", expected: "a PEM file").optional(), to: \.listeners.tlsCertificate,
            default: .computed("none: plain HTTP"), example: "/etc/cloakroom/fullchain.pem",
            help: "Certificate chain for TLS on the public listener.",
            note: "SIGHUP reads it and its key again, for a renewed certificate."),
        Setting(
            "tlsKey", ValueSyntax.text("file", expected: "a PEM file").optional(), to: \.listeners.tlsKey,
            default: .computed("the file of `tlsCert`"), example: "/etc/cloakroom/privkey.pem",
            help: "Private key of the certificate in `tlsCert`."),
        Setting(
            "tlsSelfSigned", .trueOrFalse, to: \.listeners.isSelfSigned, example: "true",
            help: "TLS with a certificate of the server's own, for https on this machine.",
            note: "The certificate is made in `dataDir` ([https on this machine](gateway.md#https-on-this-machine)).",
            isSwitch: true),
        Setting(
            "requestTimeout",
            .seconds(Span(milliseconds: 100)...(.seconds(3600)), expected: "seconds, 0.1 to 3600"),
            to: \.listeners.requestTimeout, example: "10",
            help: "Seconds from the first byte of a request to its last.",
            note: "A slower request is answered 408 `request_timeout`, and its connection is closed."),
        Setting(
            "shutdownDelay", .seconds(.zero...(.seconds(300)), expected: "seconds, 0 to 300"),
            to: \.listeners.shutdownDelay, example: "5",
            help: "Seconds for which the server goes on after a signal to stop, while `/readyz` is 503.",
            note: "Longer than a load balancer takes to notice: no request fails in a rolling restart."),
        Setting(
            "maxConnections", ValueSyntax.number(1...1_000_000).optional(), to: \.listeners.maximumConnections,
            default: .computed("as many as the limit of open files allows"), example: "1000",
            help: "Most connections that each listener has open.",
            note: """
                For each further one, the gateway closes connections that have been idle for longest. Others wait in the \
                kernel, and a log line says so.
                """),
    ]
}
