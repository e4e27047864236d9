/// The signature algorithms of passkeys, by their number in the COSE registry (RFC 9053, RFC 8812).
///
/// WebAuthn Level 3 section 5.8.5 binds each to one curve: -7 to P-256 and -8 to Ed25519.
package enum COSEAlgorithm: Int64, Hashable, Sendable, CaseIterable {
    case es256 = -7
    case edDSA = -8
    /// What the TPMs behind Windows Hello have.
    case rs256 = -257
}
