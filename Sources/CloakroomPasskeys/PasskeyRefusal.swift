/// Why a ceremony was refused: for events and debug logs, never for the client.
///
/// Steps are counted from 1 in the WebAuthn Level 3 editor's draft of 2026-07-30, whose own cross-references are off by
/// one.
package enum PasskeyRefusal: Error, Hashable, Sendable {
    /// The JSON of the response does not have the form that `PublicKeyCredential.toJSON()` makes.
    case malformedResponse(String)
    case credentialIDLength
    /// `id` and `rawId` are not the same bytes.
    case differentIDs
    case credentialNotAllowed
    case unknownCredential
    case missingUserHandle
    case wrongUser
    case clientData(String)
    case wrongType
    case wrongChallenge
    case wrongOrigin
    /// `crossOrigin` is true, or there is a `topOrigin`.
    case crossOrigin
    case attestationObject(CBORFault)
    /// It does not have exactly `fmt`, `attStmt` and `authData`.
    case attestationObjectMembers
    case authenticatorData(AuthenticatorDataFault)
    case wrongRelyingParty
    case userNotPresent
    case userNotVerified
    /// The passkey verified its user, and never did so at registration or beside another factor.
    case userVerificationNotInitialized
    case backedUpButNotEligible
    case backupEligibilityChanged
    case algorithmNotOffered
    case credentialKey(COSEKeyFault)
    case attestation(AttestationFault)
    /// Some account has a passkey of this id already.
    case knownCredential
    /// The id in the response is not that in the authenticator data.
    case wrongCredentialID
    case badSignature
    /// The counter of a passkey that cannot be synced did not increase: somebody may have copied it.
    case counterNotIncreased

    /// The sections and steps that demand the check.
    package var step: String {
        switch self {
        case .malformedResponse: "7.1 steps 3 and 4, 7.2 step 4"
        case .credentialIDLength: "7.1 step 25"
        case .differentIDs: "5.1"
        case .credentialNotAllowed: "7.2 step 5"
        case .unknownCredential, .missingUserHandle, .wrongUser: "7.2 step 6"
        case .clientData: "7.1 steps 5 and 6, 7.2 steps 8 and 9"
        case .wrongType: "7.1 step 7, 7.2 step 10"
        case .wrongChallenge: "7.1 step 8, 7.2 step 11"
        case .wrongOrigin: "7.1 step 9, 7.2 step 12"
        case .crossOrigin: "7.1 steps 10 and 11, 7.2 steps 13 and 14"
        case .attestationObject, .attestationObjectMembers: "7.1 step 13, 6.5.4"
        case .authenticatorData: "6.1, 6.5.1"
        case .wrongRelyingParty: "7.1 step 14, 7.2 step 15"
        case .userNotPresent: "7.1 step 15, 7.2 step 16"
        case .userNotVerified: "7.1 step 16, 7.2 step 17"
        case .userVerificationNotInitialized: "7.2 step 24"
        case .backedUpButNotEligible: "7.1 step 17, 7.2 step 18"
        case .backupEligibilityChanged: "7.2 step 19"
        case .algorithmNotOffered: "7.1 step 20"
        case .credentialKey: "7.1 step 20, 5.8.5"
        case .attestation(let fault): fault.step
        case .knownCredential: "7.1 step 26"
        case .wrongCredentialID: "7.1 step 27"
        case .badSignature: "7.2 steps 20 and 21"
        case .counterNotIncreased: "7.2 step 22"
        }
    }

    package var reason: String {
        switch self {
        case .malformedResponse(let what): what
        case .credentialIDLength: "the credential id does not have 1 to 1023 bytes"
        case .differentIDs: "id is not the base64url of rawId"
        case .credentialNotAllowed: "the passkey is not in allowCredentials"
        case .unknownCredential: "no account has this passkey"
        case .missingUserHandle: "userHandle is missing, and the user is not known otherwise"
        case .wrongUser: "the passkey or the userHandle is of another account"
        case .clientData(let what): "the client data \(what)"
        case .wrongType: "type is that of another ceremony"
        case .wrongChallenge: "challenge is not the one that was sent"
        case .wrongOrigin: "origin is not one of this site"
        case .crossOrigin: "the page was in a frame of another origin"
        case .attestationObject(let fault): "the attestation object is not canonical CBOR: \(fault.reason)"
        case .attestationObjectMembers: "the attestation object has other members than fmt, attStmt and authData"
        case .authenticatorData(let fault): "the authenticator data is malformed: \(fault.reason)"
        case .wrongRelyingParty: "the passkey is of another RP ID"
        case .userNotPresent: "the flag UP is not set"
        case .userNotVerified: "the flag UV is not set"
        case .userVerificationNotInitialized: "the passkey has not yet verified its user beside another factor"
        case .backedUpButNotEligible: "the flag BS is set without BE"
        case .backupEligibilityChanged: "the flag BE is not that of the registration"
        case .algorithmNotOffered: "the algorithm of the key was not offered"
        case .credentialKey(let fault): "the public key is not usable: \(fault.reason)"
        case .attestation(let fault): fault.reason
        case .knownCredential: "an account has this passkey already"
        case .wrongCredentialID: "id is not the credential id in the authenticator data"
        case .badSignature: "the signature does not match"
        case .counterNotIncreased: "the signature counter did not increase"
        }
    }
}
