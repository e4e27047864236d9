import CloakroomMiddleware
import HTTPTypes
import Hummingbird
import Logging

extension ForwardedRequest {
    /// The log metadata of the request that a refused check asked about: its method and path, and the host that the
    /// browser requested in place of the host of the check. Empty for other requests, and when the check does not name
    /// its request.
    static func metadata(ofCheck request: Request) -> Logger.Metadata {
        guard let parameters = try? CheckParameters(request.head.path ?? ""),
            let check = try? CheckRequest(
                method: request.method.rawValue, authority: nil, parameters: parameters,
                headers: DecidingHeaders(request.headers))
        else { return [:] }
        return check.forwarded.metadata
    }

    var metadata: Logger.Metadata {
        // Without the query, which may contain secrets.
        var metadata: Logger.Metadata = [
            "original_method": "\(method)", "original_path": "\(Self.printable(path))",
        ]
        if let host { metadata["host"] = "\(Self.printable(host))" }
        return metadata
    }

    private static let longestPrinted = 200

    /// The text cut to 200 bytes, with `?` for each byte that is not printable ASCII: clients choose it, and terminals
    /// and log viewers act on control characters.
    private static func printable(_ text: String) -> String {
        let bytes = text.utf8.prefix(longestPrinted + 1)
        let printable = bytes.prefix(longestPrinted).map { 0x21...0x7E ~= $0 ? $0 : UInt8(ascii: "?") }
        return String(decoding: printable, as: UTF8.self) + (bytes.count > printable.count ? "..." : "")
    }
}
