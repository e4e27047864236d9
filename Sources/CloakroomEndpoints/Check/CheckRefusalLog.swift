import CloakroomMiddleware
import HTTPTypes
import Hummingbird
import Logging

extension ForwardedRequest {
    /// The log metadata of the request that a refused check asked about. Empty for other requests, and when the check
    /// does not name it.
    static func metadata(ofCheck request: Request) -> Logger.Metadata {
        guard let parameters = try? CheckParameters(request.head.path ?? ""),
            let check = try? CheckRequest(
                method: request.method.rawValue, authority: nil, parameters: parameters,
                headers: CheckHeaders(request.headers))
        else { return [:] }
        return ["original_method": "\(check.forwarded.method)", "original_path": "\(check.forwarded.printablePath)"]
    }

    private static let longestPrintedPath = 200

    /// The path without the query, which may contain secrets, cut to 200 bytes, with `?` for each byte that is not
    /// printable ASCII: clients choose it, and terminals and log viewers act on control characters.
    private var printablePath: String {
        let bytes = path.utf8.prefix(Self.longestPrintedPath + 1)
        let printable = bytes.prefix(Self.longestPrintedPath).map { 0x21...0x7E ~= $0 ? $0 : UInt8(ascii: "?") }
        return String(decoding: printable, as: UTF8.self) + (bytes.count > printable.count ? "..." : "")
    }
}
