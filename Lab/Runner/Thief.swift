import CloakroomMiddleware

/// A client on another machine that uses stolen tokens in every way that the server accepts.
struct Thief: Sendable {
    let scene: Scene
    private var bearer: String?
    private var refresh: String?
    private var cookies: [String: String] = [:]
    /// The code of the latest response; nil if it was no refusal or had none.
    private(set) var refusal: String?

    /// What Cloakroom's cookie is called: WebKit on plain loopback gets the second name (`docs/cookies.md`).
    private static let cookieNames = [SessionCookie.defaultName, "cloakroom-session"]

    /// With the value of a `Cookie` header.
    init(_ scene: Scene, jar: String) {
        self.scene = scene
        for pair in jar.split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " } }
            if parts.count == 2 { cookies[parts[0]] = parts[1] }
        }
        bearer = cookies["access_token"]
        refresh = cookies["refresh_token"]
    }

    /// With the newest tokens in stolen data.
    init(_ scene: Scene, loot: String) {
        self.scene = scene
        let stolen = StolenTokens(in: loot)
        refresh = stolen.refresh.last
        cookies["refresh_token"] = refresh
        cookies["access_token"] = stolen.access.last
        if scene.target.storage.isOurs, let pair = stolen.pair {
            for name in Self.cookieNames { cookies[name] = pair }
        } else {
            bearer = stolen.access.last
        }
    }

    var hasAnything: Bool { bearer != nil || refresh != nil || !cookies.isEmpty }

    /// Requests the victim's account, and renews the tokens where that is needed.
    /// - Returns: whether a response contained the victim's secret.
    mutating func readsSecret() async throws -> Bool {
        if try await asks() { return true }
        guard try await renews() else { return false }
        return try await asks()
    }

    private mutating func asks() async throws -> Bool {
        let reply = try await scene.outside("GET", "/api/account", headers: headers)
        take(reply)
        return reply.text.contains(scene.victim.secret)
    }

    private mutating func renews() async throws -> Bool {
        if scene.target.storage.isOurs, try await renews(with: []) { return true }
        guard let refresh else { return false }
        let body: JSONValue = ["refresh_token": .string(refresh)]
        return try await renews(with: body.serialized)
    }

    private mutating func renews(with body: [UInt8]) async throws -> Bool {
        let path = scene.target.storage.isOurs ? "/auth/refresh" : "/refresh"
        let reply = try await scene.outside("POST", path, headers: headers, body)
        take(reply)
        if let token = reply.json?["access_token"]?.stringValue { bearer = token }
        return reply.status == 200
    }

    private mutating func take(_ reply: LocalHTTP.Reply) {
        for (name, value) in reply.cookies { cookies[name] = value }
        refusal = reply.status < 400 ? nil : reply.json?["code"]?.stringValue
    }

    private var headers: [(String, String)] {
        var headers: [(String, String)] = [("Content-Type", "application/json")]
        if let bearer { headers.append(("Authorization", "Bearer \(bearer)")) }
        if !cookies.isEmpty {
            headers.append(("Cookie", cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")))
        }
        return headers
    }
}
