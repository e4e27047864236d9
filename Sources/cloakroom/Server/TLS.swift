import Foundation
import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle
import Synchronization
import UnixSignals

/// The certificate of the public listener.
final class ServerCertificate: Sendable {
    private let certificate: String
    private let key: String
    private let contexts: Mutex<[[Version]: NIOSSLContext]>

    /// The versions of HTTP that a client can choose from, by their names in ALPN (RFC 7301).
    enum Version: String {
        case http2 = "h2"
        case http1 = "http/1.1"
    }

    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    /// - Returns: nil where the settings name none.
    /// - Throws: `Unusable`, also for a key that others than its owner and group can read.
    init?(_ settings: ListenerSettings) throws {
        guard let certificate = settings.tlsCertificate else {
            guard settings.tlsKey == nil else { throw Unusable(description: "tlsKey needs tlsCert, its certificate") }
            return nil
        }
        self.certificate = certificate
        key = settings.tlsKey ?? certificate
        contexts = Mutex(try Self.read(certificate, key))
    }

    /// Reads both files again. Open connections keep the certificate with which they began.
    func reload() throws {
        let newer = try Self.read(certificate, key)
        contexts.withLock { $0 = newer }
    }

    /// Adds TLS to connections that were just accepted.
    func securing(offering versions: [Version]) -> @Sendable (any Channel) throws -> Void {
        { channel in
            guard let context = self.contexts.withLock({ $0[versions] }) else { return channel.close(promise: nil) }
            let handler = NIOSSLServerHandler(context: context)
            try channel.pipeline.syncOperations.addHandler(handler, position: .first)
        }
    }

    private static func read(_ certificate: String, _ key: String) throws -> [[Version]: NIOSSLContext] {
        var status = stat()
        guard access(certificate, R_OK) == 0 else {
            throw SettingsError(place: "tlsCert", problem: "\(certificate) cannot be read")
        }
        guard access(key, R_OK) == 0, stat(key, &status) == 0 else {
            throw SettingsError(place: "tlsKey", problem: "\(key) cannot be read")
        }
        guard status.st_mode & 0o007 == 0 else {
            throw Unusable(description: "tlsKey: \(key) can be read by every user; chmod o= \(key)")
        }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            var contexts: [[Version]: NIOSSLContext] = [:]
            for versions in [[Version.http2, .http1], [.http1]] {
                configuration.applicationProtocols = versions.map(\.rawValue)
                contexts[versions] = try NIOSSLContext(configuration: configuration)
            }
            return contexts
        } catch {
            throw Unusable(
                description: "tlsCert and tlsKey: \(certificate) and \(key) are no certificate and its key: \(error)")
        }
    }
}

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

/// Reads the certificate again at SIGHUP.
struct Reloads: Service {
    let certificate: ServerCertificate?

    func run() async throws {
        let logger = Logger(label: "cloakroom")
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) {
                guard let certificate else {
                    logger.notice("SIGHUP: there is no certificate to read again")
                    continue
                }
                do {
                    try certificate.reload()
                    logger.notice("SIGHUP: the certificate was read again")
                } catch {
                    logger.error("SIGHUP: the old certificate stays in use", metadata: ["problem": "\(error)"])
                }
            }
        }
    }
}
