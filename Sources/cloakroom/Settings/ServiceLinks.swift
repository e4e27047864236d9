/// The variables that Kubernetes and Docker set for a service named `cloakroom`. They look like settings, but
/// `CLOAKROOM_PORT=tcp://10.0.0.1:8080` is an address for clients, not a port to listen on.
enum ServiceLinks {
    /// Whether a variable is one of them.
    static func contains(_ name: String, _ value: String) -> Bool {
        guard name.hasPrefix("CLOAKROOM_") else { return false }
        if isAddress(value), name.hasSuffix("_PORT") || name.contains("_PORT_") { return true }
        let words = name.split(separator: "_", omittingEmptySubsequences: false)
        if let service = words.lastIndex(of: "SERVICE"), service + 1 < words.count {
            return words[service + 1] == "HOST" || words[service + 1] == "PORT"
        }
        // CLOAKROOM_PORT_8080_TCP_ADDR, _PORT and _PROTO
        guard let port = words.lastIndex(where: { Int($0) != nil }), port > 0, words[port - 1] == "PORT" else {
            return false
        }
        return port + 1 < words.count && ["TCP", "UDP", "SCTP"].contains(words[port + 1])
    }

    private static func isAddress(_ value: String) -> Bool {
        ["tcp://", "udp://", "sctp://"].contains { value.hasPrefix($0) }
    }

    /// The environment without these variables.
    static func removed(from environment: [String: String]) -> [String: String] {
        environment.filter { !contains($0.key, $0.value) }
    }
}
