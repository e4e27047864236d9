import Crypto

/// A certificate of an attestation key, with each part open to change. Its own signature is rubbish: nothing reads it.
struct TestCertificate {
    let key = P256.Signing.PrivateKey()
    var version: UInt8 = 2
    var subject: [(UInt8, String)] = [
        (6, "SE"), (10, "Vendor"), (11, "Authenticator Attestation"), (3, "Vendor Authenticator"),
    ]
    var extensions = [TestCertificate.notAuthority]
    var publicKey: [UInt8]?

    static let notAuthority = extensionOf([0x55, 0x1D, 0x13], element(0x30, []))
    static let authority = extensionOf([0x55, 0x1D, 0x13], element(0x30, element(0x01, [0xFF])))

    static func aaguid(_ aaguid: [UInt8], isCritical: Bool = false) -> [UInt8] {
        let name: [UInt8] = [0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0xE5, 0x1C, 0x01, 0x01, 0x04]
        return extensionOf(name, element(0x04, aaguid), critical: isCritical ? element(0x01, [0xFF]) : [])
    }

    static func extensionOf(_ name: [UInt8], _ value: [UInt8], critical: [UInt8] = []) -> [UInt8] {
        element(0x30, element(0x06, name) + critical + element(0x04, value))
    }

    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        switch content.count {
        case 0..<0x80: [tag, UInt8(content.count)] + content
        case 0x80..<0x100: [tag, 0x81, UInt8(content.count)] + content
        default: [tag, 0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
        }
    }

    var encoded: [UInt8] {
        let names = subject.flatMap { type, text in
            let attribute = Self.element(0x06, [0x55, 0x04, type]) + Self.element(0x0C, Array(text.utf8))
            return Self.element(0x31, Self.element(0x30, attribute))
        }
        let algorithm = Self.element(0x30, Self.element(0x06, [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02]))
        var fields = Self.element(0xA0, Self.element(0x02, [version])) + Self.element(0x02, [1]) + algorithm
        fields += Self.element(0x30, []) + Self.element(0x30, []) + Self.element(0x30, names)
        fields += publicKey ?? Array(key.publicKey.derRepresentation)
        fields += Self.element(0xA3, Self.element(0x30, extensions.flatMap(\.self)))
        return Self.element(0x30, Self.element(0x30, fields) + algorithm + Self.element(0x03, [0, 1, 2, 3]))
    }
}
