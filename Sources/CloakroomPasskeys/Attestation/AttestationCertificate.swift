import Crypto

/// The certificate of an attestation key (WebAuthn Level 3 section 8.2.1): its key, and the model that it is for.
///
/// Its signature and its times are not verified. Without a list of trusted roots they would prove nothing.
struct AttestationCertificate {
    let key: P256.Signing.PublicKey
    /// nil if the certificate does not name a model.
    let aaguid: [UInt8]?

    private enum ObjectIdentifier {
        static let country: [UInt8] = [0x55, 0x04, 0x06]
        static let organization: [UInt8] = [0x55, 0x04, 0x0A]
        static let organizationalUnit: [UInt8] = [0x55, 0x04, 0x0B]
        static let commonName: [UInt8] = [0x55, 0x04, 0x03]
        static let basicConstraints: [UInt8] = [0x55, 0x1D, 0x13]
        /// id-fido-gen-ce-aaguid, 1.3.6.1.4.1.45724.1.1.4.
        static let aaguid: [UInt8] = [0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0xE5, 0x1C, 0x01, 0x01, 0x04]
    }

    private struct Extension {
        let isCritical: Bool
        let value: ArraySlice<UInt8>
    }

    init(parsing bytes: [UInt8]) throws(AttestationFault) {
        let fields: Fields
        let extensions: [[UInt8]: Extension]
        do {
            fields = try Fields(bytes)
            extensions = try Self.extensions(fields.extensions)
        } catch {
            throw .malformedCertificate
        }
        guard let key = try? P256.Signing.PublicKey(derRepresentation: Array(fields.publicKey)) else {
            throw .malformedCertificate
        }
        self.key = key
        guard fields.isVersion3, (try? Self.isSubjectSuitable(fields.subject)) == true,
            (try? Self.isEndEntity(extensions[ObjectIdentifier.basicConstraints])) == true
        else { throw .unsuitableCertificate }
        aaguid = try Self.aaguid(extensions[ObjectIdentifier.aaguid])
    }

    /// The fields of `TBSCertificate` (RFC 5280 section 4.1) that are read.
    private struct Fields {
        let isVersion3: Bool
        let subject: ArraySlice<UInt8>
        let publicKey: ArraySlice<UInt8>
        let extensions: DERReader

        init(_ bytes: [UInt8]) throws(DERReader.Failure) {
            var outer = DERReader(bytes[...])
            var certificate = try outer.enter(DERReader.Tag.sequence)
            try outer.checkEnd()
            var fields = try certificate.enter(DERReader.Tag.sequence)
            var version = try fields.enter(DERReader.Tag.version)
            isVersion3 = try version.read(DERReader.Tag.integer).elementsEqual([2])
            _ = try fields.read(DERReader.Tag.integer)  // serial number
            for _ in 0..<3 { _ = try fields.read(DERReader.Tag.sequence) }  // algorithm, issuer, validity
            subject = try fields.read(DERReader.Tag.sequence)
            guard fields.nextTag == DERReader.Tag.sequence else { throw DERReader.Failure() }
            publicKey = try fields.next().encoded
            while let tag = fields.nextTag, tag != DERReader.Tag.extensions { _ = try fields.next() }
            var wrapped = try fields.enter(DERReader.Tag.extensions)
            extensions = try wrapped.enter(DERReader.Tag.sequence)
            try wrapped.checkEnd()
            try fields.checkEnd()
        }
    }

    private static func extensions(_ list: DERReader) throws(DERReader.Failure) -> [[UInt8]: Extension] {
        var list = list
        var extensions: [[UInt8]: Extension] = [:]
        while list.nextTag != nil {
            var one = try list.enter(DERReader.Tag.sequence)
            let name = Array(try one.read(DERReader.Tag.objectIdentifier))
            let isCritical = try Self.isCritical(&one)
            let value = try one.read(DERReader.Tag.octetString)
            try one.checkEnd()
            guard extensions.updateValue(Extension(isCritical: isCritical, value: value), forKey: name) == nil else {
                throw DERReader.Failure()
            }
        }
        return extensions
    }

    /// The field `critical`, which DER leaves out where it is false.
    private static func isCritical(_ fields: inout DERReader) throws(DERReader.Failure) -> Bool {
        guard fields.nextTag == DERReader.Tag.boolean else { return false }
        guard try fields.read(DERReader.Tag.boolean).elementsEqual([0xFF]) else { throw DERReader.Failure() }
        return true
    }

    /// Whether country, vendor and common name are there, and the unit is `Authenticator Attestation`.
    private static func isSubjectSuitable(_ subject: ArraySlice<UInt8>) throws(DERReader.Failure) -> Bool {
        var names = DERReader(subject)
        var values: [[UInt8]: ArraySlice<UInt8>] = [:]
        while names.nextTag != nil {
            var relative = try names.enter(DERReader.Tag.set)
            while relative.nextTag != nil {
                var attribute = try relative.enter(DERReader.Tag.sequence)
                let name = Array(try attribute.read(DERReader.Tag.objectIdentifier))
                values[name] = try attribute.next().content
                try attribute.checkEnd()
            }
        }
        return values[ObjectIdentifier.country]?.count == 2
            && values[ObjectIdentifier.organization]?.isEmpty == false
            && values[ObjectIdentifier.commonName]?.isEmpty == false
            && values[ObjectIdentifier.organizationalUnit]?.elementsEqual("Authenticator Attestation".utf8) == true
    }

    /// Whether the basic constraints are there, and do not make it a certificate authority.
    private static func isEndEntity(_ constraints: Extension?) throws(DERReader.Failure) -> Bool {
        guard let constraints else { return false }
        var outer = DERReader(constraints.value)
        let fields = try outer.enter(DERReader.Tag.sequence)
        try outer.checkEnd()
        // DER leaves out what has its default value, and that of cA is FALSE.
        return fields.nextTag != DERReader.Tag.boolean
    }

    private static func aaguid(_ constraint: Extension?) throws(AttestationFault) -> [UInt8]? {
        guard let constraint else { return nil }
        guard !constraint.isCritical else { throw .unsuitableCertificate }
        var outer = DERReader(constraint.value)
        guard let aaguid = try? outer.read(DERReader.Tag.octetString), aaguid.count == 16, outer.nextTag == nil else {
            throw .unsuitableCertificate
        }
        return Array(aaguid)
    }
}
