import Logging
import ServiceLifecycle
import UnixSignals

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
