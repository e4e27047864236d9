import CloakroomCore
import CloakroomMiddleware

/// An address of the issuer that a `ResourceServer` cannot use.
public struct UnusableAddress: Error, CustomStringConvertible {
    let address: String
    let reason: String

    /// The address, and what is wrong with it.
    public var description: String { "\(address): \(reason)" }
}

/// The address of something that the issuer serves: `https://`, `http://` to the local host, or a Unix socket.
struct ServiceAddress: Hashable, Sendable {
    /// As the HTTP client takes it: `http+unix://%2Frun%2Fsocket/path` for a Unix socket.
    let url: String
    let isUnixSocket: Bool

    /// - Parameters:
    ///   - text: an address with its path; `unix:` and the path of a socket only if `path` is given.
    ///   - path: appended to the address.
    init(_ text: String, path: String = "", allowsPlainHTTP: Bool) throws(UnusableAddress) {
        if text.hasPrefix("unix:/"), !path.isEmpty {
            url = "http+unix://\(Self.escaped(text.dropFirst(5)))\(path)"
            isUnixSocket = true
            return
        }
        isUnixSocket = false
        url = text + path
        let afterScheme = url.firstRange(of: "://")?.upperBound ?? url.startIndex
        let end = url[afterScheme...].firstIndex(of: "/") ?? url.endIndex
        guard let origin = WebOrigin(parsing: String(url[..<end])), SameOriginPath.isSafe(String(url[end...])) else {
            throw UnusableAddress(address: text, reason: "is not an http or https address")
        }
        guard origin.scheme == "https" || origin.isLoopback || allowsPlainHTTP else {
            throw UnusableAddress(
                address: text,
                reason: "http to another host lets others replace the keys; use https, or insecureAllowsPlainHTTP")
        }
    }

    private static func escaped(_ path: Substring) -> String {
        path.utf8.map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count < 2 ? "0" : "") + digits
        }.joined()
    }
}
