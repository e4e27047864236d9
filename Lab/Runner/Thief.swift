import CloakroomMiddleware
import CloakroomTokens

/// Somebody on another machine with what was stolen, trying everything that it might be good for.
struct Thief: Sendable {
    let scene: Scene
    private var bearer: String?
    private var refresh: String?
    private var cookies: [String: String] = [:]
    /// What the server said last, where it was a refusal with a code.
    private(set) var refusal: String?

    /// With a cookie jar.
    init(_ scene: Scene, jar: String) {
        self.scene = scene
        for pair in jar.split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " } }
            if parts.count == 2 { cookies[parts[0]] = parts[1] }
        }
        bearer = cookies["access_token"]
        refresh = cookies["refresh_token"]
    }

    /// With the newest tokens in the loot.
    init(_ scene: Scene, loot: String) {
        self.scene = scene
        let stolen = StolenTokens(in: loot)
        refresh = stolen.refresh.last
        cookies["refresh_token"] = refresh
        cookies["access_token"] = stolen.access.last
        if scene.target.storage.isOurs, let pair = stolen.pair {
            let cookie = SessionCookie(isLoopbackDevelopment: true)
            for name in [cookie.name, cookie.plainName] { cookies[name] = pair }
        } else {
            bearer = stolen.access.last
        }
    }

    var hasAnything: Bool { bearer != nil || refresh != nil || !cookies.isEmpty }

    /// Reads the victim's secret from outside, with a renewal where that is needed.
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
        if let token = try? JSONReader.read(reply.body).objectValue?["access_token"]?.stringValue { bearer = token }
        return reply.status == 200
    }

    private mutating func take(_ reply: LocalHTTP.Reply) {
        for (name, value) in reply.cookies { cookies[name] = value }
        refusal = reply.status < 400 ? nil : try? JSONReader.read(reply.body).objectValue?["code"]?.stringValue
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
