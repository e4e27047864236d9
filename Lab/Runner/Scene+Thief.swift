/// A session of the attacker's own account.
struct OwnSession: Sendable {
    let tokens: String?
    let cookies: [String: String]

    /// The value of the `Cookie` header.
    var jar: String { cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ") }

    /// A JavaScript string literal that contains it as JSON.
    var asScriptString: String {
        var object: JSONObject = ["cookies": .object(cookies.mapValues { .string($0) })]
        if let tokens { object["tokens"] = .string(tokens) }
        let json = String(decoding: JSONValue.object(object).serialized, as: UTF8.self)
        return String(decoding: JSONValue.string(json).serialized, as: UTF8.self)
    }
}

extension Scene {
    /// Logs in from another machine.
    func session(of account: Bank.Account) async throws -> OwnSession {
        let body: JSONValue = ["email": .string(account.email), "password": .string(account.password)]
        let path = target.storage.isOurs ? "/auth/login" : "/login"
        let reply = try await outside("POST", path, headers: [("Content-Type", "application/json")], body.serialized)
        guard reply.status == 200 else { throw LabError("\(account.email) cannot log in: \(reply.status)") }
        var cookies = Dictionary(reply.cookies) { $1 }
        for name in ["access_token", "refresh_token"] {
            if let token = reply.json?[name]?.stringValue { cookies[name] = token }
        }
        return OwnSession(tokens: reply.json?["refresh_token"] == nil ? nil : reply.text, cookies: cookies)
    }

    /// Copies the tokens that the browser's profile holds on disk, as malware does; nil when it holds none.
    func copyOfProfile() async throws -> Thief? {
        switch target.storage.atRest {
        case .nothing: return nil
        case .script(let script): return Thief(self, loot: try await browser.run(script).stringValue ?? "")
        case .cookies:
            guard let jar = target.log.of(host: host).last(where: { $0.cookie != nil })?.cookie else {
                throw LabError("the browser has sent no cookie")
            }
            return Thief(self, jar: jar)
        }
    }
}

extension Duration {
    /// Rounded to a tenth.
    var inSeconds: Double { (self / .seconds(1) * 10).rounded() / 10 }
}
