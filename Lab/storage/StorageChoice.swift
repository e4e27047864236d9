/// Where an app keeps its tokens. Each folder here has the app's script for it, as tutorials show it. The choices with
/// HttpOnly cookies share one script, because they differ only in the server. Cloakroom's stand last.
enum StorageChoice: String, CaseIterable, Codable, Sendable {
    case localStorage = "local-storage"
    case sessionStorage = "session-storage"
    case memory
    case serviceWorker = "service-worker"
    case readableCookie = "readable-cookie"
    case hybrid
    case cookieSameSiteNone = "cookie-samesite-none"
    case cookieFetchMetadata = "cookie-fetch-metadata"
    case cookieLax = "cookie-lax"
    case cookiePublicCheck = "cookie-public-check"
    case cloakroom
    case cloakroomStepUp = "cloakroom-step-up"

    /// The row's title.
    var title: String {
        switch self {
        case .localStorage: "localStorage"
        case .sessionStorage: "sessionStorage"
        case .memory: "JavaScript variable"
        case .serviceWorker: "service worker"
        case .readableCookie: "cookie that script can read"
        case .hybrid: "hybrid: HttpOnly refresh cookie, access token in memory"
        case .cookieSameSiteNone: "HttpOnly cookie, SameSite=None"
        case .cookieFetchMetadata: "HttpOnly cookie, SameSite=None, Sec-Fetch-Site checked"
        case .cookieLax: "HttpOnly cookie, SameSite=Lax, Domain set"
        case .cookiePublicCheck: "HttpOnly cookie, SameSite=Lax, public forward-auth"
        case .cloakroom: "Cloakroom: __Host-Http- cookie, Origin checked"
        case .cloakroomStepUp: "Cloakroom, with step-up by password"
        }
    }

    /// The script that the page loads as `/client.js`: a path in the lab's folder.
    var client: String {
        switch self {
        case .localStorage, .sessionStorage, .memory, .serviceWorker, .readableCookie, .hybrid:
            "storage/\(rawValue)/client.js"
        case .cookieSameSiteNone, .cookieFetchMetadata, .cookieLax, .cookiePublicCheck:
            "storage/http-only-cookie/client.js"
        case .cloakroom, .cloakroomStepUp: "storage/cloakroom/client.js"
        }
    }

    /// How the tutorial's server delivers the tokens; nil for Cloakroom.
    var delivery: TutorialDelivery? {
        switch self {
        case .localStorage, .sessionStorage, .memory, .serviceWorker, .readableCookie: .body
        case .hybrid: .refreshCookie
        case .cookieSameSiteNone, .cookieFetchMetadata: .cookies(sameSite: "None", hasDomain: false)
        case .cookieLax: .cookies(sameSite: "Lax", hasDomain: true)
        case .cookiePublicCheck: .cookies(sameSite: "Lax", hasDomain: false)
        case .cloakroom, .cloakroomStepUp: nil
        }
    }

    /// Which tokens a copy of the browser's profile on disk contains.
    var atRest: AtRest {
        switch self {
        case .localStorage: .script("return localStorage.getItem('tokens')")
        case .sessionStorage: .script("return sessionStorage.getItem('tokens')")
        case .memory, .serviceWorker: .nothing
        case .readableCookie, .hybrid, .cookieSameSiteNone, .cookieFetchMetadata, .cookieLax, .cookiePublicCheck,
            .cloakroom, .cloakroomStepUp:
            .cookies
        }
    }

    enum AtRest: Sendable {
        case nothing, cookies
        /// A script in the page that reads the same data as a copy of the disk would contain.
        case script(String)
    }

    /// Whether the server refuses requests that `Sec-Fetch-Site` calls cross-site or same-site, and checks nothing else.
    var checksFetchMetadata: Bool { self == .cookieFetchMetadata }

    /// Whether forward-auth's check is a path on the public origin, as OAuth2 Proxy's is.
    var hasPublicCheck: Bool { self == .cookiePublicCheck }

    /// Whether the server has a check for forward-auth.
    var answersProxies: Bool { isOurs || hasPublicCheck }

    /// Whether it is Cloakroom: then a verdict other than the expected one fails the run.
    var isOurs: Bool { delivery == nil }
}

/// How a tutorial's server delivers its tokens.
enum TutorialDelivery: Sendable {
    /// Both in the response's body.
    case body
    /// The refresh token in an HttpOnly cookie, the access token in the body.
    case refreshCookie
    /// Both in HttpOnly cookies.
    case cookies(sameSite: String, hasDomain: Bool)
}
