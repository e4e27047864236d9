import CloakroomCore

/// What the gateway tells the backend about the client's request.
struct ForwardedFields: Hashable, Sendable {
    /// The client's address, without the proxies in between.
    let client: String
    let scheme: String
    /// In the one spelling in which browsers send it. An app that finds its tenant or its cache entry by the host must
    /// not take `SHOP.example.com:443` for another one.
    let host: String

    /// - Parameter host: as the client wrote it.
    init(client: String, scheme: String, host: String) {
        self.client = client
        self.scheme = scheme
        self.host = WebOrigin(scheme: scheme, authority: host.lowercased().utf8[...])?.authority ?? host
    }
}
