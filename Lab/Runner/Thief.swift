import CloakroomTokens

/// Somebody on another machine with what was stolen, trying everything that it might be good for.
struct Thief: Sendable {
    let scene: Scene
    private(set) var bearer: String?
    private(set) var refresh: String?
    private(set) var cookies: [String: String] = [:]

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

    /// With whatever looks like a token in the loot: the newest access token, the newest refresh token.
    init(_ scene: Scene, loot: String) {
        self.scene = scene
        for match in loot.matches(of: /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/) {
            let token = String(match.0)
            let payload = Base64URL.decode(String(token.split(separator: ".")[1])) ?? []
            if String(decoding: payload, as: UTF8.self).contains("\"refresh\"") {
                refresh = token
            } else {
                bearer = token
            }
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
        if scene.target.storage.isOurs {
            let reply = try await scene.outside("POST", "/auth/refresh", headers: headers)
            take(reply)
            return reply.status == 200
        }
        let body: JSONValue = ["refresh_token": .string(refresh ?? "")]
        let reply = try await scene.outside("POST", "/refresh", headers: headers, body.serialized)
        take(reply)
        if let token = try? JSONReader.read(reply.body).objectValue?["access_token"]?.stringValue { bearer = token }
        return reply.status == 200
    }

    private mutating func take(_ reply: LocalHTTP.Reply) {
        for (name, value) in reply.cookies { cookies[name] = value }
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
