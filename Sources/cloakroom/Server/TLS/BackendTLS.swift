import NIOCore
import NIOSSL

/// TLS to backends: their certificates are checked against the system's authorities.
struct BackendTLS: Sendable {
    private let context: NIOSSLContext

    init() throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["http/1.1"]
        context = try NIOSSLContext(configuration: configuration)
    }

    /// - Parameter host: a name or an address.
    func secure(_ channel: any Channel, _ host: String) throws {
        // An address cannot be sent as a server name (RFC 6066 section 3).
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        let handler = try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host)
        try channel.pipeline.syncOperations.addHandler(handler, position: .first)
    }
}
