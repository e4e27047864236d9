import CloakroomTokens
import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

extension Endpoint {
    /// `GET /auth/client.js`: the browser client.
    static let clientScript = resource(
        "/auth/client.js", PackageResources.client_js, type: "text/javascript; charset=utf-8")

    /// `GET /auth/client.d.ts`: its types.
    static let clientTypes = resource(
        "/auth/client.d.ts", PackageResources.client_d_ts, type: "text/plain; charset=utf-8")

    /// `GET /auth/openapi.json`: this contract for machines.
    static let openAPI = resource(
        "/auth/openapi.json", PackageResources.openapi_json, type: "application/json; charset=utf-8")

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
