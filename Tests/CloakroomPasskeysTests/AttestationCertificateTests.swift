import Crypto
import Testing

@testable import CloakroomPasskeys

/// The certificates of packed attestation: those of the specification's vectors, and made ones.
@Suite struct AttestationCertificateTests {
    private static func recorded(_ id: String) throws -> [UInt8] {
        let vector = try #require(try Level3Vector.all().first { $0.id == id })
        let object = try CBORReader.read(vector.bytes("registration", "attestationObject"))
        let statement = try #require(object.mapValue?["attStmt"]?.mapValue)
        return try #require(statement["x5c"]?.arrayValue?.first?.bytesValue)
    }

    private static func fault(_ bytes: [UInt8]) -> AttestationFault? {
        do {
            _ = try AttestationCertificate(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    private static func fault(_ change: (inout TestCertificate) -> Void) -> AttestationFault? {
        var certificate = TestCertificate()
        change(&certificate)
        return fault(certificate.encoded)
    }

    @Test(
        "the certificates of the specification are suitable",
        arguments: ["packed-es256", "packed-rs256", "packed-eddsa"])
    func suitable(_ id: String) throws {
        #expect(Self.fault(try Self.recorded(id)) == nil)
    }

    @Test("the subject names country, vendor, purpose and model")
    func subject() {
        #expect(Self.fault { _ in } == nil)
        for place in 0..<4 {
            #expect(Self.fault { $0.subject.remove(at: place) } == .unsuitableCertificate)
            #expect(Self.fault { $0.subject[place].1 = "" } == .unsuitableCertificate)
        }
        #expect(Self.fault { $0.subject[0].1 = "SWE" } == .unsuitableCertificate)
        #expect(Self.fault { $0.subject[2].1 = "authenticator attestation" } == .unsuitableCertificate)
        #expect(Self.fault { $0.subject.reverse() } == nil)
    }

    @Test("the version is 3, the basic constraints are there, and it is no certificate authority")
    func constraints() {
        #expect(Self.fault { $0.version = 1 } == .unsuitableCertificate)
        #expect(Self.fault { $0.extensions = [] } == .unsuitableCertificate)
        #expect(Self.fault { $0.extensions = [TestCertificate.authority] } == .unsuitableCertificate)
        let twice = [TestCertificate.notAuthority, TestCertificate.notAuthority]
        #expect(Self.fault { $0.extensions = twice } == .malformedCertificate)
        let notDER = TestCertificate.extensionOf([0x55, 0x1D, 0x13], [0x30, 0x00], critical: [0x01, 0x01, 0x00])
        #expect(Self.fault { $0.extensions = [notDER] } == .malformedCertificate)
    }

    @Test("the model is read from an extension that is not critical")
    func model() throws {
        let aaguid = [UInt8](repeating: 0xAA, count: 16)
        var certificate = TestCertificate()
        #expect(try AttestationCertificate(parsing: certificate.encoded).aaguid == nil)
        certificate.extensions.append(TestCertificate.aaguid(aaguid))
        #expect(try AttestationCertificate(parsing: certificate.encoded).aaguid == aaguid)
        for bad in [TestCertificate.aaguid(aaguid, isCritical: true), TestCertificate.aaguid(Array(aaguid.dropLast()))]
        {
            #expect(Self.fault { $0.extensions.append(bad) } == .unsuitableCertificate)
        }
    }

    @Test("a key that is not on P-256 is refused")
    func key() {
        let keys = [
            Array(P384.Signing.PrivateKey().publicKey.derRepresentation), TestCertificate.element(0x30, []),
            Array(P256.Signing.PrivateKey().publicKey.derRepresentation.dropLast()) + [0],
        ]
        for key in keys { #expect(Self.fault { $0.publicKey = key } == .malformedCertificate) }
    }

    @Test("a statement is signed by the certificate's key, with ES256, for the same model")
    func statement() throws {
        let authenticator = SoftwareAuthenticator()
        let clientData = authenticator.clientData("webauthn.create")
        let data = authenticator.authenticatorData(flags: 0x45, credential: authenticator.coseKey)
        let message = data + (try ClientData(parsing: clientData).hash)
        var certificate = TestCertificate()
        let signature = Array(try certificate.key.signature(for: message).derRepresentation)
        let own = Array(try authenticator.key.signature(for: message).derRepresentation)
        let good = TestCertificate.aaguid([UInt8](repeating: 0xAA, count: 16))
        let other = TestCertificate.aaguid([UInt8](repeating: 0xBB, count: 16))
        let rows: [(Int64, [UInt8], [UInt8]?, PasskeyRefusal?)] = [
            (-7, signature, nil, nil), (-7, signature, good, nil), (-7, signature, other, .attestation(.wrongAAGUID)),
            (-7, own, nil, .attestation(.badSignature)), (-257, signature, nil, .attestation(.wrongAlgorithm)),
        ]
        for (algorithm, signature, model, expected) in rows {
            certificate.extensions = [TestCertificate.notAuthority] + (model.map { [$0] } ?? [])
            let statement: CBORMap = [
                "alg": .integer(algorithm), "sig": .bytes(signature), "x5c": .array([.bytes(certificate.encoded)]),
            ]
            let object = authenticator.attestationObject(data, format: "packed", statement: statement)
            let body = ResponseBody.registration(
                id: authenticator.id, clientDataJSON: clientData, attestationObject: object)
            let ceremony = try authenticator.registration()
            let seen = refusal { _ = try ceremony.verify(RegistrationResponse(parsing: body), isKnown: false) }
            #expect(seen == expected)
        }
    }

    @Test("a certificate that is cut, or has something behind it, is malformed")
    func cut() throws {
        let good = try Self.recorded("packed-es256")
        for count in good.indices { #expect(Self.fault(Array(good[..<count])) == .malformedCertificate) }
        #expect(Self.fault(good + [0]) == .malformedCertificate)
    }

    @Test("a flipped bit is read or refused, and never crashes")
    func mutants() throws {
        let good = try Self.recorded("packed-es256")
        var refused = 0
        for place in good.indices {
            for bit in 0..<8 {
                var mutant = good
                mutant[place] ^= 1 << UInt8(bit)
                if Self.fault(mutant) != nil { refused += 1 }
            }
        }
        // Serial number, issuer, times and the signature are not read.
        #expect(refused > good.count * 2)
    }
}
