/// The answer of a browser to an authentication (`AuthenticationResponseJSON`), well-formed and not verified.
package struct AuthenticationResponse: Sendable {
    /// To look up the passkey.
    package let id: PasskeyID
    let clientDataJSON: [UInt8]
    let authenticatorData: [UInt8]
    let signature: [UInt8]
    let userHandle: UserHandle?

    package init(parsing body: [UInt8]) throws(PasskeyRefusal) {
        let json = try CredentialJSON(parsing: body)
        id = json.id
        clientDataJSON = try json.bytes("clientDataJSON", maximumSize: ClientData.maximumSize)
        authenticatorData = try json.bytes("authenticatorData", maximumSize: CBORReader.maximumSize)
        signature = try json.bytes("signature", maximumSize: CredentialJSON.maximumSignatureSize)
        userHandle = try json.userHandle()
    }
}
