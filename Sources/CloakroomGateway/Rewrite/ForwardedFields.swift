/// What the gateway tells the backend about the client's request.
struct ForwardedFields: Hashable, Sendable {
    /// The client's address, without the proxies in between.
    let client: String
    let scheme: String
    let host: String
}
