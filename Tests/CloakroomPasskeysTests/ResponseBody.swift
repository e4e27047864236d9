import CloakroomCore
import CloakroomTokens

/// The JSON that browsers make of a response (`PublicKeyCredential.toJSON()`).
enum ResponseBody {
    static func registration(
        id: [UInt8], clientDataJSON: [UInt8], attestationObject: [UInt8], transports: JSONValue = ["internal"],
        discoverable: Bool? = nil
    ) -> [UInt8] {
        let credProps: JSONValue = discoverable.map { ["credProps": ["rk": .bool($0)]] } ?? [:]
        return body(
            id,
            [
                "clientDataJSON": encoded(clientDataJSON), "attestationObject": encoded(attestationObject),
                "transports": transports,
            ], extensions: credProps)
    }

    static func assertion(
        id: [UInt8], clientDataJSON: [UInt8], authenticatorData: [UInt8], signature: [UInt8],
        userHandle: [UInt8]? = nil
    ) -> [UInt8] {
        body(
            id,
            [
                "clientDataJSON": encoded(clientDataJSON), "authenticatorData": encoded(authenticatorData),
                "signature": encoded(signature), "userHandle": userHandle.map { encoded($0) } ?? .null,
            ], extensions: [:])
    }

    static func encoded(_ bytes: [UInt8]) -> JSONValue { .string(Base64URL.encode(bytes)) }

    private static func body(_ id: [UInt8], _ response: JSONValue, extensions: JSONValue) -> [UInt8] {
        let body: JSONValue = [
            "id": encoded(id), "rawId": encoded(id), "type": "public-key", "response": response,
            "clientExtensionResults": extensions, "authenticatorAttachment": "platform",
        ]
        return body.serialized
    }
}
