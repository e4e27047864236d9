/// Why a COSE key was refused.
package enum COSEKeyFault: Error, Hashable, Sendable {
    case cbor(CBORFault)
    /// A parameter is missing, or one is there that the key does not need, such as the private part.
    case parameters
    case unknownAlgorithm
    /// `kty` is not that of the algorithm.
    case wrongKeyType
    /// `crv` is not the curve of the algorithm.
    case wrongCurve
    /// A coordinate, compressed or of another length, or a modulus outside of the limits.
    case wrongLength
    case notOnCurve
    /// A point of small order, or a modulus that a broken generator made (ROCA).
    case weak
    /// The exponent of an RSA key is not 65537.
    case wrongExponent

    package var reason: String {
        switch self {
        case .cbor(let fault): fault.reason
        case .parameters: "it does not have exactly the parameters of a public key"
        case .unknownAlgorithm: "alg is not ES256, EdDSA or RS256"
        case .wrongKeyType: "kty is not that of alg"
        case .wrongCurve: "crv is not the curve of alg"
        case .wrongLength: "a coordinate or the modulus does not have its full length"
        case .notOnCurve: "the coordinates are not a point of the curve"
        case .weak: "a signature of this key proves nothing"
        case .wrongExponent: "e is not 65537"
        }
    }
}
