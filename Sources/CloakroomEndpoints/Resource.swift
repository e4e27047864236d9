import CloakroomTokens
import CloakroomWeb
import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// A file in the binary, or another text that caches may store.
struct Resource: Sendable {
    /// The media type, without parameters.
    let type: String
    private let parameters: String
    /// The seconds for which a cache may store it.
    private let maximumAge: Int
    private let bytes: [UInt8]
    private let tag: String

    init(_ file: WebFile) {
        self.init(file.bytes, type: String(file.mediaType.prefix { $0 != ";" }))
    }

    init(_ bytes: [UInt8], type: String, parameters: String = "; charset=utf-8", maximumAge: Int = 300) {
        self.type = type
        self.parameters = parameters
        self.maximumAge = maximumAge
        self.bytes = bytes
        tag = "\"\(Base64URL.encode(Array(SHA256.hash(data: bytes)).prefix(12)))\""
    }

    /// The responses of an endpoint that serves such a file.
    static func answers(_ description: String, _ content: [Answer.Content]) -> [Answer] {
        [
            Answer(.ok, description, content: content, headers: [.eTag]),
            Answer(.notModified, "As `If-None-Match` names it.", headers: [.eTag]),
        ]
    }

    func response(to request: Request) -> Response {
        let known = request.headers[.ifNoneMatch]?.split(separator: ",").map { $0.drop { $0 == " " } }
        var headers: HTTPFields = [.eTag: tag, .cacheControl: "public, max-age=\(maximumAge)"]
        if known?.contains(where: { $0 == tag || $0 == "W/\(tag)" || $0 == "*" }) == true {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = type + parameters
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
