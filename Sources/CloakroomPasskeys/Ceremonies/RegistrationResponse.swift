/// The answer of a browser to a registration (`RegistrationResponseJSON`), well-formed and not verified.
package struct RegistrationResponse: Sendable {
    /// To look up whether any account has this passkey.
    package let id: PasskeyID
    let clientDataJSON: [UInt8]
    let attestationObject: [UInt8]
    let transports: [String]
    let isDiscoverable: Bool?

    /// Reads the members that decide. The others of `response` (`authenticatorData`, `publicKey`) repeat parts of the
    /// attestation object, and nothing protects them.
    package init(parsing body: [UInt8]) throws(PasskeyRefusal) {
        let json = try CredentialJSON(parsing: body)
        id = json.id
        clientDataJSON = try json.bytes("clientDataJSON", maximumSize: ClientData.maximumSize)
        attestationObject = try json.bytes("attestationObject", maximumSize: CBORReader.maximumSize)
        transports = try json.transports()
        isDiscoverable = json.isDiscoverable
    }
}
