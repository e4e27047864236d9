import Foundation
import NIOCore
import NIOSSL
import Synchronization

/// The certificate of the public listener.
final class ServerCertificate: Sendable {
    private let files: @Sendable () throws -> CertificateFiles
    private let contexts: Mutex<[[Version]: NIOSSLContext]>

    /// The versions of HTTP that a client can choose from, by their names in ALPN (RFC 7301).
    enum Version: String {
        case http2 = "h2"
        case http1 = "http/1.1"
    }

    /// - Parameter files: finds the files, for the start and for each reload.
    /// - Throws: `SettingsError`, also for a key that others than its owner and group can read.
    init(_ files: @escaping @Sendable () throws -> CertificateFiles) throws {
        self.files = files
        contexts = Mutex(try Self.read(files()))
    }

    /// Reads both files again. Open connections keep the certificate with which they began.
    func reload() throws {
        let newer = try Self.read(files())
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

    private static func read(_ files: CertificateFiles) throws -> [[Version]: NIOSSLContext] {
        let (certificate, key) = (files.certificate, files.key)
        var status = stat()
        guard access(certificate, R_OK) == 0 else {
            throw SettingsError(place: "tlsCert", problem: "\(certificate) cannot be read")
        }
        guard access(key, R_OK) == 0, stat(key, &status) == 0 else {
            throw SettingsError(place: "tlsKey", problem: "\(key) cannot be read")
        }
        guard status.st_mode & 0o007 == 0 else {
            throw SettingsError(place: "tlsKey", problem: "\(key) can be read by every user; chmod o= \(key)")
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
            throw SettingsError(
                place: "tlsCert and tlsKey",
                problem: "\(certificate) and \(key) are no certificate and its key: \(error)")
        }
    }
}
