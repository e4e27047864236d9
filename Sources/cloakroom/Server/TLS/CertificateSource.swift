import CloakroomCore
import CloakroomEndpoints
import CloakroomFiles

/// A certificate chain and its private key, as paths of PEM files.
struct CertificateFiles: Sendable {
    let certificate: String
    let key: String
}

extension ServerCertificate {
    /// The certificate that the settings choose; nil for plain HTTP.
    /// - Throws: `SettingsError` for settings that do not fit together.
    static func chosen(by settings: Settings, now: @escaping @Sendable () -> Instant) throws -> ServerCertificate? {
        guard let source = try settings.certificateSource else { return nil }
        return try ServerCertificate {
            switch source {
            case .files(let files): files
            case .selfSigned(let host):
                try DevelopmentCertificate(host: host, directory: DataDirectory(settings.data.directory))
                    .files(at: now())
            }
        }
    }
}

private enum CertificateSource {
    case files(CertificateFiles)
    /// For the host of the public URL.
    case selfSigned(host: String)
}

extension Settings {
    /// Cookies, origins and the issuer follow from the scheme of the public URL, so it must be the one that browsers use.
    fileprivate var certificateSource: CertificateSource? {
        get throws(SettingsError) {
            let (chain, key) = (listeners.tlsCertificate, listeners.tlsKey)
            guard !listeners.isSelfSigned else {
                guard chain == nil else { throw problem("tlsSelfSigned", "cannot be used with tlsCert") }
                return .selfSigned(host: try developmentHost)
            }
            guard let chain else {
                guard key == nil else { throw problem("tlsKey", "needs tlsCert, its certificate") }
                return nil
            }
            guard server.publicURL?.scheme == "https" else {
                throw problem("tlsCert", "needs publicURL, the https address that browsers use")
            }
            return .files(CertificateFiles(certificate: chain, key: key ?? chain))
        }
    }

    /// A certificate that no browser trusts must not be presented to other machines: their users would learn to accept
    /// any.
    private var developmentHost: String {
        get throws(SettingsError) {
            guard let publicURL = server.publicURL else {
                throw problem("tlsSelfSigned", "needs publicURL where the port is 0")
            }
            guard publicURL.scheme == "https", publicURL.isLoopback else {
                throw problem(
                    "tlsSelfSigned",
                    "is for https on this machine (localhost, *.localhost), and publicURL is \(publicURL)")
            }
            return publicURL.host
        }
    }

    private func problem(_ setting: SettingKey, _ problem: String) -> SettingsError {
        SettingsError(place: setting.name, problem: problem)
    }
}
