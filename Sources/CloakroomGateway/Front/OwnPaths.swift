/// The paths of Cloakroom's own endpoints, which no route can take.
enum OwnPaths {
    private static let probes: Set<String> = ["/healthz", "/readyz"]
    private static let names: Set<String> = [
        "/auth", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration", "/.well-known/change-password",
    ]

    static func contain(_ path: String) -> Bool {
        path.utf8.starts(with: "/auth/".utf8) || names.contains(path) || probes.contains(path)
    }

    static func isProbe(_ path: String) -> Bool { probes.contains(path) }
}
