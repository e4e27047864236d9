import CloakroomCore
import CloakroomFiles
import Crypto
import Foundation
import Logging
import SwiftASN1
import X509

/// A certificate for https on this machine, which its own key has signed. No browser trusts it unasked.
struct DevelopmentCertificate: Sendable {
    /// The host of the public URL.
    let host: String
    let directory: DataDirectory

    private static let certificateFile = "development-certificate.pem"
    private static let keyFile = "development-key.pem"
    private static let lifetime: TimeInterval = 90 * 86400
    /// A server that runs for days must not present an expired certificate.
    private static let remainder: TimeInterval = 7 * 86400

    /// The files in the data directory. They are made again before the certificate expires, and for another host.
    func files(at now: Instant) throws -> CertificateFiles {
        let date = Date(timeIntervalSince1970: Double(now.milliseconds) / 1000)
        let certificate = try directory.exclusively { try usable(at: date) ?? make(at: date) }
        let files = CertificateFiles(
            certificate: directory.file(Self.certificateFile), key: directory.file(Self.keyFile))
        let fingerprint = try Self.fingerprint(certificate)
        Logger(label: "cloakroom").notice(
            "TLS uses a self-signed certificate: let your browser trust it, or compare the fingerprint there",
            metadata: [
                "file": "\(files.certificate)", "sha256": "\(fingerprint)",
                "expires": "\(certificate.notValidAfter.formatted(.iso8601.year().month().day()))",
            ])
        return files
    }

    private func usable(at date: Date) throws -> Certificate? {
        guard let pem = try directory.readSecret(Self.certificateFile),
            let key = try directory.readSecret(Self.keyFile),
            let certificate = try? Certificate(pemEncoded: String(decoding: pem, as: UTF8.self)),
            let privateKey = try? P256.Signing.PrivateKey(pemRepresentation: String(decoding: key, as: UTF8.self)),
            certificate.publicKey == Certificate.PublicKey(privateKey.publicKey),
            certificate.notValidBefore <= date, certificate.notValidAfter >= date + Self.remainder,
            try certificate.extensions.subjectAlternativeNames == names
        else { return nil }
        return certificate
    }

    private func make(at date: Date) throws -> Certificate {
        let key = P256.Signing.PrivateKey()
        let name = try DistinguishedName { CommonName("Cloakroom development on this machine") }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: Certificate.PublicKey(key.publicKey),
            // The clocks of a container and its host may differ.
            notValidBefore: date - 300, notValidAfter: date + Self.lifetime, issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256, extensions: extensions(),
            issuerPrivateKey: Certificate.PrivateKey(key))
        try directory.writeSecret(Self.keyFile, Array(key.pemRepresentation.utf8))
        try directory.writeSecret(Self.certificateFile, Array(certificate.serializeAsPEM().pemString.utf8))
        return certificate
    }

    /// The certificate is an end entity's, not an authority's: trusting it trusts no other one.
    private func extensions() throws -> Certificate.Extensions {
        try Certificate.Extensions {
            Critical(BasicConstraints.notCertificateAuthority)
            Critical(KeyUsage(digitalSignature: true))
            try ExtendedKeyUsage([.serverAuth])
            names
        }
    }

    private var names: SubjectAlternativeNames {
        var names: [GeneralName] = [
            .dnsName("localhost"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
            .ipAddress(ASN1OctetString(contentBytes: [UInt8](repeating: 0, count: 15)[...] + [1])),
        ]
        if host.hasSuffix(".localhost") { names.append(.dnsName(host)) }
        return SubjectAlternativeNames(names)
    }

    /// As browsers and `openssl x509 -fingerprint -sha256` show it.
    private static func fingerprint(_ certificate: Certificate) throws -> String {
        var serializer = DER.Serializer()
        try certificate.serialize(into: &serializer)
        return SHA256.hash(data: serializer.serializedBytes).map { String(format: "%02X", $0) }.joined(separator: ":")
    }
}
