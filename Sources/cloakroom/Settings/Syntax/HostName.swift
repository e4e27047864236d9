import CloakroomCore

/// A host of the setting `hosts`: a name, a name with a port, or an origin. What is not said is that of the public URL.
struct HostName: Hashable, Sendable {
    private let scheme: String?
    private let name: WebOrigin
    private let saysPort: Bool

    /// Accepts upper case, and one trailing slash after an origin, because people paste addresses.
    init?(parsing text: String) {
        let text = text.lowercased()
        if text.contains("://") {
            guard let origin = WebOrigin(parsing: text.hasSuffix("/") ? String(text.dropLast()) : text) else {
                return nil
            }
            (scheme, name, saysPort) = (origin.scheme, origin, true)
        } else {
            guard let origin = WebOrigin(scheme: "https", authority: text.utf8[...]) else { return nil }
            (scheme, name, saysPort) = (nil, origin, text.contains(":"))
        }
    }

    var description: String { scheme == nil ? name.authority : name.description }

    /// The origin beside that of the public URL.
    func origin(beside login: WebOrigin) -> WebOrigin? {
        let port = saysPort ? name.port : login.port
        let authority = name.host + (port.map { ":\($0)" } ?? "")
        return WebOrigin(scheme: scheme ?? login.scheme, authority: authority.utf8[...])
    }
}

extension ValueSyntax where Value == HostName {
    /// `none` is no name: the documents show it for an empty list.
    static var hostName: Self {
        .init(
            placeholder: "host", expected: "a host name such as `shop.example.com`",
            parse: { $0 == "none" ? nil : HostName(parsing: $0) },
            write: \.description)
    }
}
