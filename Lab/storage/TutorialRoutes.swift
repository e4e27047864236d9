import CloakroomMiddleware
import HTTPTypes
import Hummingbird

/// The bank's routes and the login, renewal and logout of a tutorial's server.
struct TutorialRoutes: Sendable {
    let bank: Bank
    let pages: PagesByHost
    let delivery: TutorialDelivery
    /// Seconds.
    let accessTokenLife: Double
    private let tokens = TutorialTokens()

    private static let day = 86400.0

    init(bank: Bank, pages: PagesByHost, delivery: TutorialDelivery, accessTokenLife: Double) {
        self.bank = bank
        self.pages = pages
        self.delivery = delivery
        self.accessTokenLife = accessTokenLife
    }

    func add(to router: Router<BasicSessionRequestContext>, _ storage: StorageChoice) {
        router.get("/worker.js") { _, _ in Response.script(try LabFile.text("storage/service-worker/worker.js")) }
        router.post("/login") { request, _ in
            let body = try await LaxBody(request)
            guard bank.isRight(body["password"], for: body["email"]) else { throw HTTPError(.unauthorized) }
            return handOver(body["email"], withRefresh: true, request)
        }
        router.post("/refresh") { request, _ in
            guard let email = tokens.subject(of: try await refreshToken(request), .refresh) else {
                throw HTTPError(.unauthorized)
            }
            return handOver(email, withRefresh: false, request)
        }
        // With GET too, as many servers do for a link.
        for method in [HTTPRequest.Method.get, .post] {
            router.on("/logout", method: method) { request, _ in logOut(request) }
        }
        if storage.hasPublicCheck { router.get("/auth/check") { request, _ in try check(request) } }
        BankRoutes(
            bank: bank, pages: pages, whose: { request, _ in try whose(request) }, checkFresh: { _ in }
        ).add(to: router, client: storage.client)
    }

    private func logOut(_ request: Request) -> Response {
        var response = Response.answer(["done": true])
        if case .body = delivery { return response }
        for name in ["access_token", "refresh_token"] {
            response.headers.append(HTTPField(name: .setCookie, value: setting(name, "", request) + "; Max-Age=0"))
        }
        return response
    }

    /// Forward-auth on the public origin: a request with the headers that a proxy adds gets the access token in a header,
    /// and a renewed cookie is repeated in another. nginx passes these headers of its clients on.
    private func check(_ request: Request) throws -> Response {
        var response = Response(status: .noContent)
        var access = cookie("access_token", request) ?? ""
        if tokens.subject(of: access, .access) == nil {
            guard let email = tokens.subject(of: cookie("refresh_token", request) ?? "", .refresh) else {
                throw HTTPError(.unauthorized)
            }
            access = tokens.token(.access, for: email, seconds: accessTokenLife)
            let renewed = setting("access_token", access, request)
            response.headers[.setCookie] = renewed
            response.headers[.xAuthSetCookie] = renewed
        }
        if request.headers[.xOriginalURI] != nil || request.headers[.xForwardedURI] != nil {
            response.headers[.authorization] = "Bearer \(access)"
        }
        return response
    }

    private func refreshToken(_ request: Request) async throws -> String {
        switch delivery {
        case .body: try await LaxBody(request)["refresh_token"]
        case .refreshCookie, .cookies: cookie("refresh_token", request) ?? ""
        }
    }

    private func whose(_ request: Request) throws -> String {
        let shown: String?
        switch delivery {
        case .body, .refreshCookie:
            let header = request.headers[.authorization].map { String($0.dropFirst("Bearer ".count)) }
            shown = header ?? request.uri.queryParameters["access_token"].map(String.init)
        case .cookies: shown = cookie("access_token", request)
        }
        guard let email = shown.flatMap({ tokens.subject(of: $0, .access) }) else { throw HTTPError(.unauthorized) }
        return email
    }

    private func handOver(_ email: String, withRefresh: Bool, _ request: Request) -> Response {
        let access = tokens.token(.access, for: email, seconds: accessTokenLife)
        let refresh = withRefresh ? tokens.token(.refresh, for: email, seconds: Self.day) : nil
        var body: JSONObject = [:]
        var cookies: [String] = []
        switch delivery {
        case .body:
            body["access_token"] = .string(access)
            if let refresh { body["refresh_token"] = .string(refresh) }
        case .refreshCookie:
            body["access_token"] = .string(access)
            if let refresh { cookies.append(setting("refresh_token", refresh, request)) }
        case .cookies:
            cookies.append(setting("access_token", access, request))
            if let refresh { cookies.append(setting("refresh_token", refresh, request)) }
        }
        var response = Response.answer(.object(body))
        for cookie in cookies { response.headers.append(HTTPField(name: .setCookie, value: cookie)) }
        return response
    }

    private func setting(_ name: String, _ value: String, _ request: Request) -> String {
        switch delivery {
        case .body, .refreshCookie:
            return "\(name)=\(value); Path=/; HttpOnly; SameSite=Lax"
        case .cookies(let sameSite, let hasDomain):
            // WebKit refuses Secure cookies on plain loopback. No attack here depends on the attribute.
            let userAgent = request.headers[.userAgent] ?? ""
            let isWebKit = userAgent.contains("AppleWebKit/") && !userAgent.contains("Chrome/")
            let secure = sameSite == "None" && !isWebKit ? "; Secure" : ""
            let host = (request.head.authority ?? "").prefix { $0 != ":" }
            let domain = hasDomain ? "; Domain=\(host.drop { $0 != "." }.dropFirst())" : ""
            return "\(name)=\(value); Path=/; HttpOnly; SameSite=\(sameSite)\(secure)\(domain)"
        }
    }

    /// The first cookie with this name, as most frameworks read it.
    private func cookie(_ name: String, _ request: Request) -> String? {
        let pairs = request.headers[values: .cookie].flatMap { $0.split(separator: ";") }
        let values = pairs.compactMap { pair -> String? in
            let parts = pair.split(separator: "=", maxSplits: 1).map { $0.trimming { $0.isWhitespace } }
            return parts.count == 2 && parts[0] == name ? parts[1] : nil
        }
        return values.first
    }
}

extension StringProtocol {
    /// Without the characters at both ends that `isOutside` is true for.
    fileprivate func trimming(_ isOutside: (Character) -> Bool) -> String {
        String(drop(while: isOutside).reversed().drop(while: isOutside).reversed())
    }
}
