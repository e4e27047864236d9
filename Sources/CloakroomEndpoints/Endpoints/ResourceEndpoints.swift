import CloakroomTokens
import CloakroomWeb
import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

extension Endpoint {
    /// `GET /auth/client.js`: the browser client.
    static let clientScript = resource("/auth/client.js", .client)

    /// `GET /auth/client.d.ts`: the types of the client.
    static let clientTypes = resource("/auth/client.d.ts", .clientTypes)

    /// `GET /auth/openapi.json`: this contract for machines.
    static let openAPI = resource(
        "/auth/openapi.json", PackageResources.openapi_json, type: "application/json; charset=utf-8")

    static func resource(_ path: String, _ file: WebFile) -> Endpoint {
        resource(path, file.bytes, type: file.mediaType)
    }

    static func resource(_ path: String, _ bytes: [UInt8], type: String) -> Endpoint {
        let tag = "\"\(Base64URL.encode(Array(SHA256.hash(data: bytes)).prefix(12)))\""
        let headers: HTTPFields = [.eTag: tag, .cacheControl: "public, max-age=300", .contentType: type]
        return Endpoint(.get, path) { call in
            let known = call.request.headers[.ifNoneMatch]?.split(separator: ",").map { $0.drop { $0 == " " } }
            if known?.contains(where: { $0 == tag || $0 == "W/\(tag)" || $0 == "*" }) == true {
                return Response(status: .notModified, headers: [.eTag: tag, .cacheControl: "public, max-age=300"])
            }
            return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        }
    }
}
