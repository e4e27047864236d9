/// Authenticator data (WebAuthn Level 3 section 6.1), with every byte accounted for.
struct AuthenticatorData: Hashable, Sendable {
    let relyingPartyHash: [UInt8]
    let flags: Flags
    let signCount: UInt32
    /// Present exactly if the flag AT is set.
    let credential: AttestedCredential?

    /// The bits of the flags. The two others are reserved, and may be set.
    struct Flags: OptionSet, Hashable, Sendable {
        let rawValue: UInt8

        static let userPresent = Self(rawValue: 0x01)
        static let userVerified = Self(rawValue: 0x04)
        static let backupEligible = Self(rawValue: 0x08)
        static let backedUp = Self(rawValue: 0x10)
        static let attestedCredential = Self(rawValue: 0x40)
        static let extensions = Self(rawValue: 0x80)
    }

    /// Attested credential data (section 6.5.1). Its key is canonical CBOR, and nothing more is known of it.
    struct AttestedCredential: Hashable, Sendable {
        let aaguid: [UInt8]
        let id: PasskeyID
        let key: CBORValue
        let encodedKey: [UInt8]
    }

    init(parsing bytes: [UInt8]) throws(PasskeyRefusal) {
        var rest = bytes[...]
        relyingPartyHash = Array(try Self.take(32, from: &rest))
        flags = Flags(rawValue: Self.number(try Self.take(1, from: &rest)))
        signCount = Self.number(try Self.take(4, from: &rest))
        credential = flags.contains(.attestedCredential) ? try Self.credential(&rest) : nil
        if flags.contains(.extensions) { try Self.skipExtensions(&rest) }
        guard rest.isEmpty else { throw .authenticatorData(.trailingBytes) }
    }

    private static func take(_ count: Int, from rest: inout ArraySlice<UInt8>) throws(PasskeyRefusal)
        -> ArraySlice<UInt8>
    {
        guard rest.count >= count else { throw .authenticatorData(.truncated) }
        defer { rest.removeFirst(count) }
        return rest.prefix(count)
    }

    /// Reads big-endian bytes, not more than `Number` has.
    private static func number<Number: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>) -> Number {
        bytes.reduce(0) { $0 << 8 | Number($1) }
    }

    private static func credential(_ rest: inout ArraySlice<UInt8>) throws(PasskeyRefusal) -> AttestedCredential {
        let aaguid = Array(try take(16, from: &rest))
        let count: UInt16 = number(try take(2, from: &rest))
        guard let id = PasskeyID(Array(try take(Int(count), from: &rest))) else { throw .credentialIDLength }
        let (key, end) = try item(rest, AuthenticatorDataFault.key)
        defer { rest = rest[end...] }
        return AttestedCredential(aaguid: aaguid, id: id, key: key, encodedKey: Array(rest[..<end]))
    }

    /// The outputs of extensions: none of them decides anything here.
    private static func skipExtensions(_ rest: inout ArraySlice<UInt8>) throws(PasskeyRefusal) {
        let (outputs, end) = try item(rest, AuthenticatorDataFault.extensions)
        guard outputs.mapValue != nil else { throw .authenticatorData(.extensionsNotMap) }
        rest = rest[end...]
    }

    private static func item(_ bytes: ArraySlice<UInt8>, _ part: (CBORFault) -> AuthenticatorDataFault)
        throws(PasskeyRefusal) -> (value: CBORValue, end: Int)
    {
        do {
            return try CBORReader.readFirst(bytes)
        } catch {
            throw .authenticatorData(part(error))
        }
    }
}

/// Why authenticator data was refused.
package enum AuthenticatorDataFault: Error, Hashable, Sendable {
    /// It is shorter than its fixed part, or than a length in it.
    case truncated
    /// Something follows that no flag accounts for.
    case trailingBytes
    /// A registration without the flag AT.
    case noCredential
    /// An assertion with the flag AT.
    case unexpectedCredential
    case key(CBORFault)
    case extensions(CBORFault)
    case extensionsNotMap

    package var reason: String {
        switch self {
        case .truncated: "it is too short"
        case .trailingBytes: "something follows that no flag accounts for"
        case .noCredential: "it has no attested credential"
        case .unexpectedCredential: "it has an attested credential"
        case .key(let fault): "the public key is not canonical CBOR: \(fault.reason)"
        case .extensions(let fault): "the extensions are not canonical CBOR: \(fault.reason)"
        case .extensionsNotMap: "the extensions are no map"
        }
    }
}
